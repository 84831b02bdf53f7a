"""The content of a large document is found in its JSON, and stays in the job as it came."""

import json
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.codec import decode_job, encode
from contract.faults import InvalidSubmissionError, MalformedSubmissionError
from contract.ids import new_document_id
from contract.job import Job, Lane
from contract.posted_content import posted_content
from contract.submission import Checked, parse_submission, to_job

PAGE = '<p class="a">\u00c5rhus \\ ferry\n</p>' * 1000
ESCAPED = orjson.dumps(PAGE)
AT = datetime(2026, 11, 29, 10, tzinfo=UTC)
# What may stand before and after the content: more of JSON, or what breaks it.
BEFORE = st.sampled_from(
    [
        b"{",
        b' {\n"url": "https://example.org/a", ',
        b'{"labels":{',
        b'{"html":"a",',
        b'{"text":"a",',
        b"[",
        b"",
        b'{"a":"',
    ]
)
AFTER = st.sampled_from(
    [
        b"}",
        b'\n,"url":"https://example.org/a" } ',
        b'}, "html":"a"}',
        b',"html":"b"}',
        b'","url":"a"}',
        b"]",
        b"",
        b"\\",
    ]
)
NAME = st.sampled_from([b'"html":', b'"text" :\t', b'"ht\\u006dl":', b'"x\\"html":', b'"other":', b'\\"html":'])
CUT = st.sampled_from(
    [b"", b"\xff", b'"', b"\\", b'\\"', b"\\\\", b"\n", b'","html":"', b"\\ud800", b"\\/", b"\\u00e9"]
)


def job_of(checked: Checked) -> Job:
    return to_job(
        checked.submission,
        id=new_document_id(),
        lane=Lane.BULK,
        accepted_at=AT,
        content_json=checked.content_json,
    )


@given(before=BEFORE, name=NAME, cut=CUT, at=st.integers(0, len(ESCAPED)), after=AFTER)
@example(before=b"{", name=b'"html":', cut=b'","html":"', at=len(ESCAPED) // 2, after=b"}")
@example(before=b"{", name=b'"html":', cut=b"\\", at=len(ESCAPED) - 1, after=b"}")
@example(before=b'{"labels":{', name=b'"html":', cut=b"", at=0, after=b'}, "html":"a"}')
def test_what_is_found_is_what_the_json_holds(before: bytes, name: bytes, cut: bytes, at: int, after: bytes) -> None:
    body = before + name + ESCAPED[:at] + cut + ESCAPED[at:] + after
    found = posted_content(body)
    if found is not None:
        assert found.fields == orjson.loads(body)
        assert orjson.loads(found.json) in (found.fields.get("html"), found.fields.get("text"))


@pytest.mark.parametrize(
    "body",
    [
        orjson.dumps({"html": PAGE}),
        orjson.dumps({"url": "https://example.org/a", "text": PAGE, "labels": {"html": "a", "text": "b"}}),
        json.dumps({"html": PAGE, "metadata": {"title": "a"}}, indent=2, ensure_ascii=False).encode(),
    ],
)
def test_the_content_is_stored_as_it_came(body: bytes) -> None:
    checked = parse_submission(body)
    stored = encode(job_of(checked))
    assert checked.content_json is not None
    assert checked.content_json in body
    assert checked.content_json in stored
    assert decode_job(stored).content == PAGE


def test_other_escapes_stay_where_they_take_few_bytes() -> None:
    body = b'{"html":' + ESCAPED.replace(b"</", b"<\\/") + b"}"
    stored = encode(job_of(parse_submission(body)))
    assert b"<\\/p>" in stored
    assert decode_job(stored).content == PAGE


def test_characters_that_are_written_as_numbers_are_stored_as_themselves() -> None:
    body = json.dumps({"html": PAGE}).encode()
    stored = encode(job_of(parse_submission(body)))
    assert len(stored) < len(body)
    assert decode_job(stored).content == PAGE


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"html":%b,"text":"a"}', "body"),
        (b'{"html":%b,"other":1}', "other"),
        (b'{"labels":{"html":%b},"text":"a"}', "labels.html"),
        (b'{"html":%b,"html":""}', "html"),
    ],
)
def test_rules_hold_for_large_documents(body: bytes, field: str) -> None:
    with pytest.raises(InvalidSubmissionError) as refused:
        parse_submission(body % ESCAPED)
    assert refused.value.faults[0].field == field


@pytest.mark.parametrize(
    ("cut", "rule"), [(b"\xff", "invalid_utf8"), (b'"', "invalid_json"), (b"\x01", "invalid_json")]
)
def test_a_broken_page_is_refused(cut: bytes, rule: str) -> None:
    with pytest.raises(MalformedSubmissionError) as refused:
        parse_submission(b'{"html":' + ESCAPED[:20_000] + cut + ESCAPED[20_000:] + b"}")
    assert refused.value.faults[0].rule == rule


def test_a_lone_surrogate_becomes_the_replacement_character() -> None:
    checked = parse_submission(b'{"html":' + ESCAPED[:-1] + b'\\ud800"}')
    assert decode_job(encode(job_of(checked))).content == PAGE + "\ufffd"
