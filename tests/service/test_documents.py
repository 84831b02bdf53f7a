import asyncio
import gzip
import io
import json
import sys
import zlib
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from aiohttp import ClientResponse

from contract.broker import BrokerFull, BrokerUnavailable
from contract.job import CallerMetadata, Job, Kind, Lane
from contract.options import Focus, Format, Options
from service.app import IntakeLimits
from tests.service.conftest import RunningApi, StartApi, problem

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SECRET_TEXT = "Nobody but the desk may read this"
JSON = "application/json"
GZIP = {"Content-Encoding": "gzip"}
ZSTD = {"Content-Encoding": "zstd"}
# A frame that is sent as it is made has the window that was asked for: 16 MiB, over the 8 MB of RFC 9659.
_STREAM = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 24})
WIDE = _STREAM.compress(b"Co", zstd.ZstdCompressor.FLUSH_BLOCK) + _STREAM.compress(b"py") + _STREAM.flush()
DEFLATE = {"Content-Encoding": "Deflate"}
RAW_DEFLATED = zlib.compress(b"Copy", wbits=-15)
ZIPPED = gzip.compress(b"x" * 100_001, mtime=0)
PACKED = gzip.compress(b"Copy", mtime=0)


async def refusal(response: ClientResponse) -> str:
    """Returns status, slug, field and rule of a problem with one error."""
    answer = await problem(response)
    (error,) = answer["errors"]
    assert error["message"]
    return f"{response.status} {answer['type'].removeprefix('/problems/')} {error['field']} {error['rule']}"


async def test_json_submission_becomes_the_job_that_is_put(api: RunningApi) -> None:
    response = await api.post(
        json.dumps(
            {
                "html": "<p>Copy</p>",
                "url": "https://example.org/a",
                "metadata": {"title": "T", "authors": ["A", "B"], "published": "2024-10-19", "language": "EN-us"},
                "labels": {"topic": "news"},
                "options": {"lane": "bulk"},
            }
        )
    )
    receipt = await response.json()
    assert (response.status, set(receipt), receipt["lane"]) == (202, {"id", "lane"}, "bulk")
    assert api.broker.jobs == [
        Job(
            id=receipt["id"],
            kind=Kind.HTML,
            lane=Lane.BULK,
            accepted_at="2024-10-19T08:30:00.000Z",
            url="https://example.org/a",
            content="<p>Copy</p>",
            metadata=CallerMetadata(title="T", authors=("A", "B"), published="2024-10-19", language="en-US"),
            labels={"topic": "news"},
            owner="anonymous",
        )
    ]
    assert api.sample("copydesk_accepted_total", kind="html", lane="bulk") == 1


async def test_ids_are_uuid7_and_the_lane_is_interactive(api: RunningApi) -> None:
    receipt = await (await api.post('{"url": "https://example.org/a"}')).json()
    assert UUID(receipt["id"]).version == 7
    assert receipt["lane"] == "interactive"


@pytest.mark.parametrize(
    ("content_type", "body", "kind", "content"),
    [
        ("text/plain", "Grüße".encode(), Kind.TEXT, "Grüße"),
        ("text/plain; charset=iso-8859-1", "Grüße".encode("latin-1"), Kind.TEXT, "Grüße"),
        ('TEXT/HTML; charset="windows-1252"', "<p>“Hi”</p>".encode("cp1252"), Kind.HTML, "<p>“Hi”</p>"),
        ("text/plain; charset=utf-16", "Grüße".encode("utf-16"), Kind.TEXT, "Grüße"),
        ("text/plain", b"\xef\xbb\xbfmarked", Kind.TEXT, "marked"),
        ("text/plain", "tab\tline\r\nc1 \x85".encode(), Kind.TEXT, "tab\tline\r\nc1 \x85"),
    ],
)
async def test_raw_body(api: RunningApi, content_type: str, body: bytes, kind: Kind, content: str) -> None:
    response = await api.post(body, content_type)
    assert response.status == 202
    assert [(job.kind, job.content, job.url) for job in api.broker.jobs] == [(kind, content, None)]


@pytest.mark.parametrize(
    ("content_type", "body", "content", "charset", "source"),
    [
        ("text/plain", "Grüße".encode(), "Grüße", "utf-8", "detected"),
        ("text/plain", "Grüße aus Köln".encode("latin-1"), "Grüße aus Köln", "windows-1252", "default"),
        ("text/html", b'<meta charset="shift_jis"><p>' + "東京".encode("cp932"), None, "shift_jis", "meta"),
        ("text/plain", "Grüße".encode("utf-16"), "Grüße", "utf-16le", "bom"),
        ("text/plain; charset=nonsense", "Grüße".encode(), "Grüße", "utf-8", "detected"),
        ("text/plain; charset=", b"a\x00b", "a\x00b", "utf-8", "detected"),
        ('Application/XHTML+XML; charset="UTF-8"', b"<p>a</p>", "<p>a</p>", "utf-8", "http"),
        ("text/markdown", b"# a", "# a", "utf-8", "detected"),
    ],
)
async def test_raw_body_is_decoded_as_a_page_is(  # noqa: PLR0913, PLR0917 - a row of the table
    api: RunningApi, content_type: str, body: bytes, content: str | None, charset: str, source: str
) -> None:
    assert (await api.post(body, content_type)).status == 202
    (job,) = api.broker.jobs
    assert (job.charset, job.charset_source) == (charset, source)
    assert content in {None, job.content}


async def test_an_unusable_origin_is_a_warning_in_the_receipt(api: RunningApi) -> None:
    response = await api.post("Copy", "text/plain", "/v1/documents?url=ftp://example.org")
    assert response.status == 202
    (warning,) = (await response.json())["warnings"]
    assert (warning["field"], warning["rule"]) == ("url", "url_scheme")
    assert api.broker.jobs[0].url is None


async def test_faults_of_header_query_and_body_are_told_at_once(api: RunningApi) -> None:
    response = await api.post(" ", "text/plain", "/v1/documents?lane=fast&colour=1", Idempotency_Key="a b")
    named = {error["field"] for error in (await problem(response))["errors"]}
    assert named == {"Idempotency-Key", "colour", "lane", "text"}


async def test_a_form_is_told_how_to_post(api: RunningApi) -> None:
    response = await api.post("text=Copy", "application/x-www-form-urlencoded")
    assert response.status == 415
    assert "--data-binary" in (await problem(response))["detail"]


async def test_raw_body_takes_options_from_the_query(api: RunningApi) -> None:
    query = "formats=text,markdown&include=&focus=precision&keep_all=true"
    response = await api.post("Copy", "text/plain", f"/v1/documents?{query}")
    assert response.status == 202
    (job,) = api.broker.jobs
    assert job.options == Options(
        formats=(Format.TEXT, Format.MARKDOWN), include=(), focus=Focus.PRECISION, keep_all=True
    )


async def test_raw_body_takes_labels_from_the_query(api: RunningApi) -> None:
    query = "&".join(f"labels.n{number}=%E6%9D%B1%3D{number}" for number in range(16))
    response = await api.post("Copy", "text/plain", f"/v1/documents?{query}&url=https://example.org/&lane=bulk")
    assert response.status == 202
    assert api.broker.jobs[0].labels == {f"n{number}": f"東={number}" for number in range(16)}


@pytest.mark.parametrize(
    ("query", "content_type", "expected"),
    [
        ("labels.a=1&labels.a=2", "text/plain", "400 invalid-parameter labels.a repeated"),
        ("labels=1", "text/plain", "400 invalid-parameter labels unknown_parameter"),
        ("labels.a=%00", "text/plain", "422 invalid-submission labels.a control_character"),
        ("labels.=1", "text/plain", "422 invalid-submission labels. empty"),
        ("labels.a=1", JSON, "400 invalid-parameter labels.a unknown_parameter"),
        (
            "&".join(f"labels.n{number}=1" for number in range(17)),
            "text/plain",
            "422 invalid-submission labels too_many",
        ),
        # however many good ones stand before it in the alphabet
        (
            "&".join([*(f"labels.n{number}=1" for number in range(16)), "lane=bulk", "zebra=1"]),
            "text/plain",
            "400 invalid-parameter zebra unknown_parameter",
        ),
    ],
)
async def test_labels_in_the_query_follow_the_rules(
    api: RunningApi, query: str, content_type: str, expected: str
) -> None:
    response = await api.post('{"text": "Copy"}', content_type, f"/v1/documents?{query}")
    assert await refusal(response) == expected


async def test_raw_body_takes_origin_and_lane_from_the_query(api: RunningApi) -> None:
    response = await api.post("Copy", "text/plain", "/v1/documents?url=https://example.org/a%3Fb&lane=bulk")
    assert response.status == 202
    (job,) = api.broker.jobs
    assert (job.url, job.lane) == ("https://example.org/a?b", Lane.BULK)


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (PACKED, "gzip"),
        (gzip.compress(b"Co", mtime=0) + gzip.compress(b"py", mtime=0), "GZIP"),  # RFC 1952: a series of members
        (zstd.compress(b"Copy"), "zstd"),
        (zstd.compress(b"Co") + zstd.compress(b"py"), "Zstd"),  # RFC 8878: a series of frames
        (zlib.compress(b"Copy"), "deflate"),
        (RAW_DEFLATED, "deflate"),  # not RFC 9110, but some clients send it
        (b"Copy", "identity"),
    ],
)
async def test_compressed_body(api: RunningApi, body: bytes, coding: str) -> None:
    response = await api.post(body, "text/plain", Content_Encoding=coding)
    assert response.status == 202
    assert api.broker.jobs[0].content == "Copy"


@pytest.mark.parametrize(
    ("body", "content_type", "headers", "expected"),
    [
        (b'{"text": ', JSON, {}, "400 malformed-body body invalid_json"),
        (b"", JSON, {}, "400 malformed-body body empty"),
        (b" \r\n", JSON, {}, "400 malformed-body body empty"),
        (b"\xef\xbb\xbf", JSON, {}, "400 malformed-body body empty"),
        (b"\xef\xbb\xbf", "text/plain", {}, "422 invalid-submission text empty"),
        (b"\xff\xfe", "text/html", {}, "422 invalid-submission html empty"),
        (b'{"text": "\xff"}', JSON, {}, "400 malformed-body body invalid_utf8"),
        (b"not gzip", "text/plain", GZIP, "400 malformed-body body framing"),
        (PACKED[:-1], "text/plain", GZIP, "400 malformed-body body framing"),
        (PACKED * 2 + b"more", "text/plain", GZIP, "400 malformed-body body framing"),
        (b"not zstd", "text/plain", ZSTD, "400 malformed-body body framing"),
        (zstd.compress(b"Copy")[:-1], "text/plain", ZSTD, "400 malformed-body body framing"),
        (zstd.compress(b"Copy") + b"more", "text/plain", ZSTD, "400 malformed-body body framing"),
        (WIDE, "text/plain", ZSTD, "400 malformed-body body framing"),
        (zstd.compress(b"x" * 100_001), "text/plain", ZSTD, "413 content-too-large body too_large"),
        (zlib.compress(b"Copy")[:-1], "text/plain", DEFLATE, "400 malformed-body body framing"),
        (zlib.compress(b"Copy") + b"x", "text/plain", DEFLATE, "400 malformed-body body framing"),
        (RAW_DEFLATED[:-1], "text/plain", DEFLATE, "400 malformed-body body framing"),
        (b"a", "text/plain", {"Content-Encoding": "lz"}, "415 unsupported-media-type Content-Encoding content_coding"),
        (b"{}", "application/json; charset=utf-16", {}, "415 unsupported-media-type Content-Type charset"),
        (b"%PDF-1.7", "text/plain", {}, "415 unsupported-media-type text binary"),
        (b"%PDF", "application/pdf", {}, "415 unsupported-media-type Content-Type media_type"),
        (b"x" * 100_001, "text/plain", {}, "413 content-too-large body too_large"),
        (ZIPPED, "text/plain", GZIP, "413 content-too-large body too_large"),
        (b" \r\n\xc2\xa0", "text/plain", {}, "422 invalid-submission text empty"),
        (b"", "text/html", {}, "422 invalid-submission html empty"),
        (b"{}", JSON, {}, "422 invalid-submission body exactly_one"),
        (b'{"text": "a", "colour": 1}', JSON, {}, "422 invalid-submission colour unknown_field"),
        (b'{"text": "a"}', JSON, {"Idempotency-Key": "a b"}, "400 invalid-parameter Idempotency-Key visible_ascii"),
        (b'{"text": "a"}', JSON, {"Idempotency-Key": ""}, "400 invalid-parameter Idempotency-Key visible_ascii"),
        (b'{"text": "a"}', JSON, {"Idempotency-Key": "a" * 256}, "400 invalid-parameter Idempotency-Key visible_ascii"),
    ],
)
async def test_refusals_name_field_and_rule(
    api: RunningApi, body: bytes, content_type: str, headers: dict[str, str], expected: str
) -> None:
    """`expected` is the status, the problem's slug, the field and the rule."""
    response = await api.client.post("/v1/documents", data=body, headers={"Content-Type": content_type, **headers})
    assert await refusal(response) == expected
    assert api.broker.jobs == []
    assert api.sample("copydesk_refused_total", reason=expected.split()[1].replace("-", "_")) == 1


@pytest.mark.parametrize(
    ("query", "content_type", "expected"),
    [
        ("lane=fast", "text/plain", "422 invalid-submission lane not_allowed"),
        ("formats=text,pdf", "text/plain", "422 invalid-submission formats.1 not_allowed"),
        ("keep_all=yes", "text/plain", "422 invalid-submission keep_all wrong_type"),
        ("lane=bulk&lane=bulk", "text/plain", "400 invalid-parameter lane repeated"),
        ("label=a", "text/plain", "400 invalid-parameter label unknown_parameter"),
        ("lane=bulk", "application/json", "400 invalid-parameter options.lane unknown_parameter"),
    ],
)
async def test_query_refusals(api: RunningApi, query: str, content_type: str, expected: str) -> None:
    response = await api.post('{"text": "a"}', content_type, f"/v1/documents?{query}")
    assert await refusal(response) == expected


ONE = "application/json, text/plain, text/html, text/markdown, application/xhtml+xml"
MANY = f"{ONE}, application/x-ndjson, multipart/form-data"


@pytest.mark.parametrize(
    ("path", "headers", "body", "taken"),
    [
        ("/v1/documents", {"Content-Type": "image/png"}, b"a", {"Accept-Post": MANY}),
        ("/v1/extract", {"Content-Type": "application/x-ndjson"}, b"{}", {"Accept-Post": ONE}),
        ("/v1/documents", {"Content-Type": "text/plain"}, b"%PDF-1.7", {"Accept-Post": MANY}),
        ("/v1/documents", {"Content-Type": "application/x-ndjson; charset=latin-1"}, b"{}", {"Accept-Post": MANY}),
        *(
            (path, {"Content-Type": kind, "Content-Encoding": "br"}, b"a", {"Accept-Encoding": "gzip, zstd, deflate"})
            for path in ("/v1/documents", "/v1/extract")
            for kind in ("text/plain", "application/x-ndjson", "multipart/form-data; boundary=a")
            if path == "/v1/documents" or kind == "text/plain"
        ),
    ],
)
async def test_a_415_says_what_is_taken_instead(
    api: RunningApi, path: str, headers: dict[str, str], body: bytes, taken: dict[str, str]
) -> None:
    response = await api.client.post(path, data=io.BytesIO(body), headers=headers)
    assert (await problem(response))["type"] == "/problems/unsupported-media-type"
    names = ("Accept-Post", "Accept-Encoding")
    assert {name: response.headers[name] for name in names if name in response.headers} == taken


async def test_missing_content_type_is_refused(api: RunningApi) -> None:
    response = await api.client.post("/v1/documents", data=b"a", skip_auto_headers=["Content-Type"])
    assert (await problem(response))["type"] == "/problems/unsupported-media-type"


async def test_streamed_body_over_the_limit_is_refused_without_a_length(api: RunningApi) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 10_000

    response = await api.client.post("/v1/documents", data=chunks(), headers={"Content-Type": "text/plain"})
    assert (await problem(response))["type"] == "/problems/content-too-large"


async def test_job_that_swells_beyond_the_queue_is_refused(start_api: StartApi) -> None:
    api = await start_api(limits={"max_body_bytes": 8_000_000})
    body = io.BytesIO(b'"' * 6_500_000)
    response = await api.client.post("/v1/documents", data=body, headers={"Content-Type": "text/plain"})
    assert (await problem(response))["type"] == "/problems/content-too-large"
    assert api.broker.jobs == []


async def test_a_slow_body_is_refused(start_api: StartApi) -> None:
    api = await start_api(limits={"body_timeout_s": 0.05})
    released = asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        yield b"half of "
        await released.wait()
        yield b"it"

    response = await api.client.post("/v1/documents", data=stuck(), headers={"Content-Type": "text/plain"})
    released.set()
    assert (await problem(response))["type"] == "/problems/body-timeout"


async def test_refusals_do_not_repeat_the_document(api: RunningApi) -> None:
    bodies = [
        json.dumps({"text": SECRET_TEXT, "labels": {"a": SECRET_TEXT + "\x00"}}),
        json.dumps({"text": SECRET_TEXT, "html": SECRET_TEXT}),
        json.dumps({"text": [SECRET_TEXT]}),
        json.dumps({"url": SECRET_TEXT, "labels": {"a": SECRET_TEXT * 20}, "options": {"lane": SECRET_TEXT}}),
        json.dumps({"text": "a", "metadata": dict.fromkeys(("published", "language", "authors"), SECRET_TEXT)}),
        json.dumps({"text": SECRET_TEXT})[:-1],
    ]
    for body in bodies:
        response = await api.post(body)
        assert response.status in {400, 422}
        assert SECRET_TEXT not in await response.text()


async def test_202_waits_for_the_broker(api: RunningApi) -> None:
    api.broker.open_gate.clear()
    async with asyncio.TaskGroup() as tasks:
        posted = tasks.create_task(api.post('{"text": "a"}'))
        await api.broker.until_put_waits()
        assert not posted.done()
        api.broker.open_gate.set()
    assert posted.result().status == 202
    assert len(api.broker.jobs) == 1


async def test_same_idempotency_key_same_id(start_api: StartApi) -> None:
    api = await start_api(keys=("ann:secret-a", "bob:secret-b"))

    async def id_for(secret: str, key: str) -> str:
        response = await api.post('{"text": "a"}', Authorization=f"Bearer {secret}", Idempotency_Key=key)
        assert response.status == 202
        receipt = await response.json()
        return str(receipt["id"])

    first = await id_for("secret-a", "k1")
    assert UUID(first).version == 5
    assert await id_for("secret-a", "k1") == first
    assert await id_for("secret-a", "k2") != first
    assert await id_for("secret-b", "k1") != first


@pytest.mark.parametrize(
    ("error", "status", "slug", "retry_after"),
    [
        (BrokerUnavailable("amqp://user:hunter2@broker"), 503, "broker-unavailable", "5"),
        (BrokerFull(), 429, "intake-full", "10"),
    ],
)
async def test_broker_that_refuses(api: RunningApi, error: Exception, status: int, slug: str, retry_after: str) -> None:
    api.broker.refusal = error
    response = await api.post('{"text": "a"}')
    assert (await problem(response))["type"] == f"/problems/{slug}"
    assert (response.status, response.headers["Retry-After"]) == (status, retry_after)
    assert "hunter2" not in await response.text()
    assert api.sample("copydesk_accepted_total", kind="text", lane="interactive") == 0


async def test_broker_that_hangs_is_503_in_time(start_api: StartApi) -> None:
    api = await start_api(limits={"put_timeout_s": 0.05})
    api.broker.open_gate.clear()
    async with asyncio.timeout(60):
        response = await api.post('{"text": "a"}')
    assert (await problem(response))["type"] == "/problems/broker-unavailable"
    assert response.headers["Retry-After"] == "5"
    assert api.broker.jobs == []


def test_default_put_timeout_leaves_room_for_503_within_5_s() -> None:
    assert IntakeLimits().put_timeout_s < 5


async def test_requests_are_timed(api: RunningApi) -> None:
    await api.post('{"text": "a"}')
    labels = {"method": "POST", "route": "/v1/documents", "status": "202"}
    assert api.sample("copydesk_request_seconds_count", **labels) == 1
