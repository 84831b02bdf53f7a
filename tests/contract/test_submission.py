import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from contract.codec import decode_job, encode
from contract.faults import Fault, InvalidSubmissionError, MalformedSubmissionError, SubmissionError
from contract.job import Kind, Lane
from contract.options import Focus, Format, Options
from contract.submission import Submission, check_submission, parse_submission, to_job
from workers.fetch.urls import checked_url

URL = "https://example.org/a"


def parsed(body: bytes) -> Submission | tuple[Fault, ...]:
    try:
        return parse_submission(body).submission
    except SubmissionError as error:
        return error.faults


def faults(fields: object) -> list[tuple[str, str]]:
    with pytest.raises(InvalidSubmissionError) as refused:
        parse_submission(json.dumps(fields).encode())
    assert all(fault.message for fault in refused.value.faults)
    return [(fault.field, fault.rule) for fault in refused.value.faults]


def with_metadata(**metadata: object) -> dict[str, object]:
    return {"text": "a", "metadata": metadata}


@pytest.mark.parametrize(
    ("fields", "kind", "content", "url"),
    [
        ({"url": URL}, Kind.URL, None, URL),
        ({"text": "a"}, Kind.TEXT, "a", None),
        ({"html": "<p>a"}, Kind.HTML, "<p>a", None),
        ({"text": "a", "url": URL}, Kind.TEXT, "a", URL),
        ({"html": "a", "url": URL, "text": None}, Kind.HTML, "a", URL),
    ],
)
def test_a_submission_is_parsed(fields: object, kind: Kind, content: str | None, url: str | None) -> None:
    submission = parse_submission(json.dumps(fields).encode()).submission
    assert (submission.kind, submission.content, submission.url) == (kind, content, url)


@pytest.mark.parametrize(
    ("fields", "field", "rule"),
    [
        ({}, "body", "exactly_one"),
        ({"text": "a", "html": "b"}, "body", "exactly_one"),
        ({"text": "a", "html": "b", "url": URL}, "body", "exactly_one"),
        ([], "body", "wrong_type"),
        (None, "body", "wrong_type"),
        ("text", "body", "wrong_type"),
        ({"text": 1}, "text", "wrong_type"),
        ({"text": ""}, "text", "empty"),
        ({"text": "\x00\x08\x7f"}, "text", "empty"),
        ({"text": "\x00\x01\x02 and" * 8}, "text", "binary"),
        ({"text": " \t\r\n\u00a0\u3000\u200b\ufeff"}, "text", "empty"),
        ({"html": "\n"}, "html", "empty"),
        ({"text": "a", "txet": "b"}, "txet", "unknown_field"),
        ({"text": "a", "options": {"priority": 1}}, "options.priority", "unknown_field"),
        ({"text": "a", "options": {"lane": "fast"}}, "options.lane", "not_allowed"),
        ({"text": "a", "options": []}, "options", "wrong_type"),
        ({"text": "a", "options": {"formats": ["text", "pdf"]}}, "options.formats.1", "not_allowed"),
        ({"text": "a", "options": {"formats": []}}, "options.formats", "too_few"),
        ({"text": "a", "options": {"formats": "text"}}, "options.formats", "wrong_type"),
        ({"text": "a", "options": {"formats": ["text"] * 100_000}}, "options.formats", "too_many"),
        ({"text": "a", "options": {"include": ["adverts"]}}, "options.include.0", "not_allowed"),
        ({"text": "a", "options": {"focus": "speed"}}, "options.focus", "not_allowed"),
        ({"text": "a", "options": {"keep_all": "yes"}}, "options.keep_all", "wrong_type"),
        ({"text": "a", "options": {"keep_all": 1}}, "options.keep_all", "wrong_type"),
        (with_metadata(author="A"), "metadata.author", "unknown_field"),
        (with_metadata(title=" "), "metadata.title", "empty"),
        (with_metadata(title="a" * 1025), "metadata.title", "too_long"),
        (with_metadata(title="\x1b"), "metadata.title", "empty"),
        (with_metadata(authors="A"), "metadata.authors", "wrong_type"),
        (with_metadata(authors=["A", ""]), "metadata.authors.1", "empty"),
        (with_metadata(authors=["A"] * 51), "metadata.authors", "too_many"),
        (with_metadata(authors=["A" * 257]), "metadata.authors.0", "too_long"),
        (with_metadata(site_name="a" * 257), "metadata.site_name", "too_long"),
        (with_metadata(language="english"), "metadata.language", "language"),
        (with_metadata(language="xx"), "metadata.language", "language"),
        (with_metadata(language=""), "metadata.language", "language"),
        (with_metadata(published="yesterday"), "metadata.published", "date"),
        (with_metadata(published="2024-13-01"), "metadata.published", "date"),
        (with_metadata(published="2024-02-30T10:00Z"), "metadata.published", "date"),
        (with_metadata(published="2024-10-19x10:00"), "metadata.published", "date"),
        (with_metadata(published="1729324800"), "metadata.published", "date"),
        (with_metadata(published="２０２４-10-19"), "metadata.published", "date"),
        ({"text": "a", "labels": {"": "x"}}, "labels.", "empty"),
        ({"text": "a", "labels": {"k": "x" * 257}}, "labels.k", "too_long"),
        ({"text": "a", "labels": {"k" * 65: "x"}}, "labels." + "k" * 64, "too_long"),
        ({"text": "a", "labels": {"k": 1}}, "labels.k", "wrong_type"),
        ({"text": "a", "labels": {"k": "\x00"}}, "labels.k", "control_character"),
        ({"text": "a", "labels": {str(n): "" for n in range(17)}}, "labels", "too_many"),
        ({"text": "a", "labels": {str(n): 1 for n in range(100_000)}}, "labels", "too_many"),
        ({str(n): 1 for n in range(100_000)}, "body", "too_many"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 40 else "",
)
def test_refusals(fields: object, field: str, rule: str) -> None:
    assert faults(fields) == [(field, rule)]


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("", "url_scheme"),
        ("example.org", "url_scheme"),
        ("//example.org/a", "url_scheme"),
        ("ftp://example.org/", "url_scheme"),
        ("file:///etc/passwd", "url_scheme"),
        ("javascript:alert(1)", "url_scheme"),
        ("https:", "url_invalid"),
        ("http://?q", "url_invalid"),
        ("http://./", "url_host"),
        ("http://a..b/", "url_host"),
        ("http://a,b/", "url_host"),
        (f"http://{'a' * 64}.org/", "url_host"),
        ("http://[fe80::1%25eth0]/", "url_zone"),
        ("http://user@example.org/", "url_userinfo"),
        ("http://user:word@example.org/", "url_userinfo"),
        ("http://example.org:0/", "url_port"),
        ("http://example.org:65536/", "url_invalid"),
        ("http://example.org:x/", "url_invalid"),
        ("http://exa mple.org/", "url_invalid"),
        ("http://[::1/", "url_invalid"),
        (f"http://example.org/{'ü' * 700}", "url_too_long"),
        (f"http://example.org/{'a' * 2030}", "too_long"),
    ],
)
def test_absurd_urls(url: str, rule: str) -> None:
    assert faults({"url": url}) == [("url", rule)]
    checked = check_submission({"text": "a", "url": url})
    assert checked.submission.url is None
    assert [(fault.field, fault.rule) for fault in checked.warnings] == [("url", rule)]


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("HTTP://EXAMPLE.ORG", "http://example.org/"),
        (" \thttp://example.org/a\n", "http://example.org/a"),
        ("http://exam\nple.org/a b?ä#c", "http://example.org/a%20b?%C3%A4#c"),
        ("http:\\\\example.org\\a", "http://example.org/a"),
        ("https:example.org", "https://example.org/"),
        ("http://@example.org/", "http://example.org/"),
        ("https://example.org:8443/a?b=c#d", "https://example.org:8443/a?b=c#d"),
        ("http://bücher.example/straße", "http://xn--bcher-kva.example/stra%C3%9Fe"),
        ("http://127.1/", "http://127.0.0.1/"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://%31%32%37.1/", "http://127.0.0.1/"),
        ("http://①②⑦.1/", "http://127.0.0.1/"),
        ("http://[2001:db8::0:1]:80/", "http://[2001:db8::1]/"),
        ("http://a_b.example.org./", "http://a_b.example.org./"),
        ("http://example.org/%zz?mail=a@b", "http://example.org/%zz?mail=a@b"),
        (f"http://example.org/{'a' * 2029}", f"http://example.org/{'a' * 2029}"),
    ],
)
def test_urls_are_kept_in_normal_form(url: str, normal: str) -> None:
    assert check_submission({"url": url}).submission.url == normal
    assert check_submission({"url": normal}).submission.url == normal


def test_metadata_lose_control_characters_with_a_warning() -> None:
    checked = check_submission(with_metadata(title="a\x08b\fc", authors=["A\x00"], site_name="S"))
    told = checked.submission.metadata
    assert (told.title, told.authors, told.site_name) == ("ab c", ("A",), "S")
    assert [fault.field for fault in checked.warnings] == ["metadata.title", "metadata.authors"]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (rb'{"text": "a\ud800b"}', "a\ufffdb"),
        (rb'{"text": "\\ud800 \ud83d\ude00 \udc00"}', "\\ud800 \U0001f600 \ufffd"),
        (b'\xef\xbb\xbf{"text": "a"}', "a"),
        (rb'{"text": "a\u0000\f\b"}', "a\x00\x0c\x08"),
    ],
)
def test_json_with_odd_characters_is_accepted(body: bytes, text: str) -> None:
    assert parse_submission(body).submission.text == text


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("language", "EN-us", "en-US"),
        ("language", "zh_hant", "zh-Hant"),
        ("language", "deu", "de"),
        ("published", "2024-10-19", "2024-10-19"),
        ("published", "20241019", "2024-10-19"),
        ("published", "2024-10-19T08:30:00Z", "2024-10-19T08:30:00+00:00"),
        ("published", "2024-10-19 08:30:00.5+02:00", "2024-10-19T08:30:00.500000+02:00"),
    ],
)
def test_metadata_is_standardised(field: str, given: str, kept: str) -> None:
    submission = check_submission(with_metadata(**{field: given})).submission
    assert getattr(submission.metadata, field) == kept


@pytest.mark.parametrize("text", ["a\tb\r\nc", "\x80\x93quoted\x94", "braces {0} {}", "emoji \U0001f600", "\ufffe"])
def test_text_is_let_through_untouched(text: str) -> None:
    assert parse_submission(json.dumps({"text": text}).encode()).submission.text == text


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "empty"),
        (b'{"text": "a"', "invalid_json"),
        (b'{"text": NaN}', "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
        (b'{"text": "\xff"}', "invalid_utf8"),
        (b'{"text": "\xed\xa0\x80"}', "invalid_utf8"),
    ],
)
def test_malformed_bodies(body: bytes, rule: str) -> None:
    with pytest.raises(MalformedSubmissionError) as refused:
        parse_submission(body)
    assert [(fault.field, fault.rule) for fault in refused.value.faults] == [("body", rule)]


def test_faults_are_listed_together_up_to_a_limit() -> None:
    listed = faults({"text": " ", "url": 1, "labels": {"a": 1}, "b": 1})
    assert set(listed) == {("text", "empty"), ("url", "wrong_type"), ("labels.a", "wrong_type"), ("b", "unknown_field")}
    assert len(faults({f"unknown{n}": 1 for n in range(60)})) == 20


def test_job() -> None:
    submission = check_submission(
        {
            "text": "a",
            "url": URL,
            "metadata": {"title": "T", "authors": ["A"], "published": "2024-10-19", "language": "en", "site_name": "S"},
            "labels": {"k": "v"},
        }
    ).submission
    noon = datetime(2024, 10, 19, 12, tzinfo=timezone(timedelta(hours=2)))
    job = to_job(submission, id="i", lane=Lane.BULK, accepted_at=noon)
    assert (job.id, job.kind, job.lane, job.accepted_at) == ("i", Kind.TEXT, Lane.BULK, "2024-10-19T10:00:00.000Z")
    assert (job.url, job.content, job.labels, job.attempt, job.run) == (URL, "a", {"k": "v"}, 1, 1)
    assert (job.metadata.title, job.metadata.authors, job.metadata.site_name) == ("T", ("A",), "S")
    assert (job.metadata.published, job.metadata.language) == ("2024-10-19", "en")
    assert decode_job(encode(job)) == job


def test_options_go_with_the_job() -> None:
    told = {"formats": ["html", "markdown", "html"], "include": [], "focus": "recall", "keep_all": True}
    job = to_job(
        check_submission({"text": "a", "options": told}).submission,
        id="i",
        lane=Lane.BULK,
        accepted_at=datetime(2024, 1, 1, tzinfo=UTC),
    )
    assert job.options == Options(formats=(Format.HTML, Format.MARKDOWN), include=(), focus=Focus.RECALL, keep_all=True)
    assert decode_job(encode(job)) == job


def test_without_options_a_job_has_the_defaults() -> None:
    submission = check_submission({"text": "a"}).submission
    assert to_job(submission, id="i", lane=Lane.BULK, accepted_at=datetime(2024, 1, 1, tzinfo=UTC)).options == Options()


SCHEMA = Draft202012Validator(TypeAdapter(Submission).json_schema())


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"url": URL},
        {"text": "a"},
        {"html": "a", "text": None},
        {"text": "a", "url": URL},
        {"text": "a", "html": "b"},
        {"text": "a", "html": "b", "url": URL},
        {"url": None},
        {"text": "a", "colour": 1},
        with_metadata(colour=1),
        with_metadata(authors=["A"] * 51),
        {"text": "a", "labels": {str(n): "" for n in range(17)}},
        {"text": "a", "labels": {"k" * 65: ""}},
        {"text": "a", "options": {"lane": "bulk"}},
        {"text": "a", "options": {"lane": "fast"}},
        {"text": "a", "options": {"formats": ["text", "html"], "include": ["tables"], "focus": "balanced"}},
        {"text": "a", "options": {"formats": []}},
        {"text": "a", "options": {"keep_all": 0}},
    ],
)
def test_json_schema_agrees_with_the_parser(fields: dict[str, object]) -> None:
    try:
        check_submission(fields)
    except InvalidSubmissionError:
        accepted = False
    else:
        accepted = True
    assert SCHEMA.is_valid(fields) is accepted


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
NAMES = st.sampled_from(["url", "text", "html", "metadata", "labels", "options"])


@given(JSON | st.dictionaries(NAMES, JSON | st.dictionaries(st.sampled_from(["title", "authors", "lane"]), JSON)))
def test_json_is_a_submission_or_a_submission_error(fields: object) -> None:
    outcome = parsed(json.dumps(fields).encode())
    if isinstance(outcome, Submission):
        job = to_job(outcome, id="i", lane=Lane.INTERACTIVE, accepted_at=datetime(2024, 1, 1, tzinfo=UTC))
        assert decode_job(encode(job)) == job
    else:
        assert outcome


@example("http://0?")
@example("http://example.com/?#a")
@given(st.one_of(st.text(), st.text().map("http://{}".format), st.from_regex(r"https?://\S{1,30}", fullmatch=True)))
def test_any_url_is_accepted_or_refused(url: str) -> None:
    outcome = parsed(json.dumps({"url": url}).encode())
    if isinstance(outcome, Submission):
        assert outcome.url is not None
        assert check_submission({"url": outcome.url}).submission.url == outcome.url
        assert str(checked_url(outcome.url)) == outcome.url.partition("#")[0]  # the fetcher asks for the same
    else:
        assert [fault.field for fault in outcome] == ["url"]


@given(st.binary())
def test_bytes_are_a_submission_or_a_submission_error(body: bytes) -> None:
    assert parsed(body)
