"""Callbacks: the URL that comes with a document, and the secrets of owners."""

import json
from datetime import UTC, datetime

import pytest

from contract.accepted import acceptance
from contract.callbacks import callback_secret
from contract.faults import InvalidSubmissionError
from contract.idempotency import body_digest
from contract.job import Lane
from contract.submission import Checked, parse_submission, to_job
from contract.webhooks import is_secret

AT = datetime(2026, 11, 29, tzinfo=UTC)
URL = "https://desk.example.com/done?token=s3cret"
SETTING = "a setting of thirty-two characters"


def submitted(**options: object) -> Checked:
    return parse_submission(json.dumps({"text": "The ferry sails.", "options": options}).encode())


def test_each_owner_has_a_secret_that_follows_from_the_setting() -> None:
    secrets = {callback_secret(setting, owner) for setting in (SETTING, SETTING + "!") for owner in ("ann", "bob")}
    assert len(secrets) == 4
    assert all(map(is_secret, secrets))
    assert callback_secret(SETTING, "ann") == "whsec_Z+tE2VR/umENBCyl7vxy02lbpJgGAYALBU9wUoO7FuE="


def test_the_url_goes_with_the_job_and_its_acceptance_and_is_in_no_repr() -> None:
    submission = submitted(callback_url=URL).submission
    job = to_job(submission, id="1", lane=Lane.BULK, accepted_at=AT)
    record = acceptance(job, AT)
    assert job.callback_url == record.callback_url == URL
    assert "s3cret" not in f"{submission!r} {job!r} {record!r}"
    assert to_job(submitted().submission, id="1", lane=Lane.BULK, accepted_at=AT).callback_url is None


def test_another_url_is_another_body() -> None:
    digests = {
        body_digest(submitted(**it).submission) for it in ({}, {"callback_url": URL}, {"callback_url": URL + "1"})
    }
    assert len(digests) == 3


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "https://ann:word@example.com/", "/done", "https://example.com/" + "a" * 2048, 7, ""]
)
def test_what_nothing_can_be_posted_to_is_refused(url: object) -> None:
    with pytest.raises(InvalidSubmissionError) as refused:
        submitted(callback_url=url)
    assert [fault.field for fault in refused.value.faults] == ["options.callback_url"]
