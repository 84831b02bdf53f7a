"""Messages of every version that was ever sent must decode for ever: samples are added, never changed."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from contract.article import Quality
from contract.codec import decode_acceptances, decode_attempts, decode_event, decode_job, decode_requests, encode
from contract.events import BatchCompletedEvent, ErasedEvent, FailedEvent, ProcessedEvent, WebhookDisabledEvent
from contract.job import Kind, Lane
from contract.options import Options

GOLDEN = Path(__file__).parent.parent / "golden"


def sample(name: str) -> bytes:
    return (GOLDEN / f"{name}.json").read_bytes()


WHOLE = [
    *("job.v1.traced", "accepted.v1.callback", "attempts.v1.full", "requests.v1.full", "document.erased.v1.full"),
    *("batch.completed.v1.full", "webhook.disabled.v1.full"),
    *("document.processed.v1.traced", "document.failed.v1.traced"),
]
"""Samples that hold every field there is today."""
OLDER = [
    *("job.v1.full", "job.v1.least", "job.v1.options", "job.v1.charset", "job.v1.owned", "job.v1.whole"),
    *("job.v1.kept", "accepted.v1.input", "document.processed.v1.controls", "document.failed.v1.controls"),
    *("job.v1.duplicate", "accepted.v1.duplicate", "job.v1.batch", "accepted.v1.batch"),
    *("job.v1.keyed", "accepted.v1.keyed", "document.processed.v1.keyed", "document.failed.v1.keyed"),
    *("accepted.v1.least", "accepted.v1.full"),
    *("document.processed.v1.full", "document.processed.v1.quality", "document.processed.v1.fetched"),
    *("document.processed.v1.duplicate", "document.processed.v1.pasted", "document.processed.v1.posts"),
    *("document.failed.v1.duplicate", "document.processed.v1.kicker", "document.failed.v1.kicker", "job.v1.callback"),
    *("document.failed.v1.full", "document.failed.v1.fetched", "document.failed.v1.described"),
]


DECODERS = {
    "job": decode_job,
    "document": decode_event,
    "webhook": decode_event,
    "batch": decode_event,
    "accepted": decode_acceptances,
    "attempts": decode_attempts,
    "requests": decode_requests,
}


def decoded(name: str) -> Any:  # noqa: ANN401 - any message
    return DECODERS[name.partition(".")[0]](sample(name))


def is_within(part: object, whole: object) -> bool:
    """Returns True if every field of `part` has its value in `whole`, which may have more fields."""
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) == len(whole) and all(map(is_within, part, whole))
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(name in whole and is_within(value, whole[name]) for name, value in part.items())
    return part == whole


def test_every_sample_is_tested() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == {*WHOLE, *OLDER}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_sample_comes_back_as_it_is(name: str) -> None:
    assert orjson.loads(encode(decoded(name))) == orjson.loads(sample(name))


@pytest.mark.parametrize("name", OLDER)
def test_an_older_sample_loses_nothing(name: str) -> None:
    assert is_within(orjson.loads(sample(name)), orjson.loads(encode(decoded(name))))


def test_a_job_with_the_least_fields_gets_the_defaults() -> None:
    job = decode_job(sample("job.v1.least"))
    assert (job.kind, job.lane, job.attempt, job.run, job.version) == (Kind.URL, Lane.INTERACTIVE, 1, 1, 1)
    assert (job.content, job.labels, job.history, job.options) == (None, {}, (), Options())


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("document.processed.v1.full", ProcessedEvent),
        ("document.processed.v1.quality", ProcessedEvent),
        ("document.processed.v1.fetched", ProcessedEvent),
        ("document.failed.v1.full", FailedEvent),
        ("document.failed.v1.fetched", FailedEvent),
        ("document.erased.v1.full", ErasedEvent),
        ("webhook.disabled.v1.full", WebhookDisabledEvent),
        ("batch.completed.v1.full", BatchCompletedEvent),
    ],
)
def test_an_event_is_known_by_its_type(name: str, kind: type[Any]) -> None:
    assert isinstance(decode_event(sample(name)), kind)


@pytest.mark.parametrize("name", ["document.processed.v1.kicker", "document.failed.v1.kicker"])
def test_an_event_without_a_trace_has_the_bytes_that_it_had_before_there_were_traces(name: str) -> None:
    assert orjson.loads(encode(decoded(name))) == orjson.loads(sample(name))


def test_an_article_from_before_quality_has_none() -> None:
    event = decode_event(sample("document.processed.v1.full"))
    assert isinstance(event, ProcessedEvent)
    assert (event.data.markdown, event.data.html, event.data.page_kind) == (None, None, None)
    assert event.data.quality == Quality()
