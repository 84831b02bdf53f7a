"""Many documents in one request, one a line."""

import asyncio
import gzip
import json
import sys
import zlib
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import pytest
from aiohttp import ClientResponse

from contract.broker import BrokerFull, BrokerUnavailable
from contract.job import Kind, Lane
from service.posting.reading import READING, stop_reading
from tests.service.conftest import RunningApi, StartApi, problem

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

NDJSON = "application/x-ndjson"
SECRET = "Nobody but the newsroom may read this"


def line(text: str, **more: Any) -> bytes:  # noqa: ANN401 - fields of a line
    return json.dumps({"text": text, **more}).encode() + b"\n"


def lines(count: int) -> bytes:
    return b"".join(line(f"Copy {number}") for number in range(count))


async def post(api: RunningApi, body: bytes | AsyncIterator[bytes], **headers: str) -> ClientResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await api.client.post("/v1/documents", data=body, headers={"Content-Type": NDJSON, **named})


async def answers(response: ClientResponse) -> list[dict[str, Any]]:
    assert (response.status, response.content_type) == (200, NDJSON)
    return [json.loads(one) for one in (await response.text()).splitlines()]


def in_short(answers: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Returns number and status of each, and for problems the slug and the first rule."""
    return [
        (one["line"], one["status"])
        if one["status"] == 202
        else (one["line"], one["status"], one["type"].removeprefix("/problems/"), *_rules(one))
        for one in answers
    ]


def _rules(answer: dict[str, Any]) -> list[str]:
    return [f"{error['field']} {error['rule']}" for error in answer.get("errors", [])]


async def test_a_key_that_came_with_another_body_is_refused_for_its_line_alone(api: RunningApi) -> None:
    await answers(await post(api, lines(3), Idempotency_Key="batch"))
    again = await answers(await post(api, lines(1) + line("Other copy") + line("Copy 2"), Idempotency_Key="batch"))
    assert in_short(again)[1] == (2, 422, "idempotency-key-reused", "Idempotency-Key other_body")
    assert [one["status"] for one in again] == [202, 422, 202]


async def test_the_keys_of_lines_are_compared_within_a_request_and_with_single_posts(api: RunningApi) -> None:
    first = {"idempotency_key": "story"}
    both = await answers(await post(api, line("Copy", **first) + line("Copy", **first) + line("Other copy", **first)))
    assert [one["status"] for one in both] == [202, 202, 422]
    single = await api.client.post("/v1/documents", json={"text": "Other copy"}, headers={"Idempotency-Key": "story"})
    assert single.status == 422
    job = next(job for job in api.broker.jobs if job.id == both[0]["id"])
    assert job.idempotency is not None


async def test_each_line_is_answered_in_order_with_what_became_of_it(api: RunningApi) -> None:
    found = await answers(await post(api, lines(300)))
    assert in_short(found) == [(number, 202) for number in range(1, 301)]
    assert {one["lane"] for one in found} == {"bulk"}
    stored = {job.id: job for job in api.broker.jobs}
    assert [stored[one["id"]].content for one in found] == [f"Copy {number}" for number in range(300)]
    assert {UUID(one["id"]).version for one in found} == {7}
    assert api.sample("copydesk_accepted_total", kind="text", lane="bulk") == 300


async def test_a_broken_line_spoils_no_other(api: RunningApi) -> None:
    body = b"".join(
        [
            line("First"),
            b"\n",
            b" \t\r\n",
            b"{" + SECRET.encode() + b"\n",
            b"\xff\xfe\n",
            line("a", html="b"),
            line("a", colour=SECRET),
            b'["text"]\n',
            line("x" * 100_000),
            line("Crossed", options={"lane": "interactive"}).replace(b"\n", b"\r\n"),
            line("Lone \ud800 surrogate"),
            line("Its end is missing", url="ftp://example.org").rstrip(),
        ]
    )
    response = await post(api, body)
    found = await answers(response)
    assert in_short(found) == [
        (1, 202),
        (4, 400, "malformed-body", "body invalid_json"),
        (5, 400, "malformed-body", "body invalid_utf8"),
        (6, 422, "invalid-submission", "body exactly_one"),
        (7, 422, "invalid-submission", "colour unknown_field"),
        (8, 422, "invalid-submission", "body wrong_type"),
        (9, 413, "content-too-large", "body too_large"),
        (10, 202),
        (11, 202),
        (12, 202),
    ]
    assert {(job.content, job.lane) for job in api.broker.jobs} == {
        ("First", Lane.BULK),
        ("Crossed", Lane.INTERACTIVE),
        ("Lone \ufffd surrogate", Lane.BULK),
        ("Its end is missing", Lane.BULK),
    }
    assert SECRET not in await response.text()
    assert [warning["rule"] for warning in found[-1]["warnings"]] == ["url_scheme"]
    assert api.sample("copydesk_refused_total", reason="malformed_body") == 2


async def test_a_line_may_be_of_any_kind_and_have_all_fields_of_a_single_document(api: RunningApi) -> None:
    body = b'\xef\xbb\xbf{"url": "https://example.org/a", "labels": {"desk": "7"}}\n{"html": "<p>Copy</p>"}'
    assert in_short(await answers(await post(api, body))) == [(1, 202), (2, 202)]
    assert [(job.kind, job.labels) for job in api.broker.jobs] == [(Kind.URL, {"desk": "7"}), (Kind.HTML, {})]


async def test_no_lines_are_no_fault(api: RunningApi) -> None:
    assert await answers(await post(api, b"")) == []
    assert await answers(await post(api, b"\n\n")) == []


async def test_the_ids_follow_from_key_and_line(api: RunningApi) -> None:
    async def ids(body: bytes, key: str) -> list[str]:
        return [one["id"] for one in await answers(await post(api, body, Idempotency_Key=key))]

    first = await ids(lines(5), "batch-1")
    assert await ids(lines(8), "batch-1") == [*first, *(await ids(lines(8), "batch-1"))[5:]]
    assert not set(first) & set(await ids(lines(5), "batch-2"))
    assert len(set(first)) == 5
    alone = await api.post(line("Alone"), Idempotency_Key="batch-1")
    assert (await alone.json())["id"] not in first


async def test_a_line_with_a_key_of_its_own_is_as_if_it_were_posted_alone(api: RunningApi) -> None:
    body = line("a", idempotency_key="mine") + line("b", idempotency_key="a b") + line("c", idempotency_key="")
    found = await answers(await post(api, body, Idempotency_Key="batch"))
    alone = await (await api.post(line("a"), Idempotency_Key="mine")).json()
    assert found[0]["id"] == alone["id"]
    assert in_short(found[1:]) == [
        (2, 422, "invalid-submission", "idempotency_key visible_ascii"),
        (3, 422, "invalid-submission", "idempotency_key empty"),
    ]
    refused = await problem(await api.post(line("a", idempotency_key="mine")))
    assert refused["errors"][0]["rule"] == "unknown_field"  # a single document has its key in the header


async def test_a_line_says_from_which_charset_it_was_decoded(api: RunningApi) -> None:
    body = line("a", decoded={"charset": "windows-1252", "source": "http"}) + line("b", decoded={"charset": ""})
    found = await answers(await post(api, body))
    assert [(job.charset, job.charset_source, job.content) for job in api.broker.jobs] == [
        ("windows-1252", "http", "a")
    ]
    assert [error["field"] for error in found[1]["errors"]] == ["decoded.charset", "decoded.source"]


@pytest.mark.parametrize(
    ("headers", "path", "expected"),
    [
        ({"Idempotency-Key": "a b"}, "", (400, "Idempotency-Key")),
        ({"Content-Type": f"{NDJSON}; charset=latin-1"}, "", (415, "Content-Type")),
        ({"Content-Encoding": "br"}, "", (415, "Content-Encoding")),
        ({}, "?colour=1", (400, "colour")),
        ({}, "?lane=bulk", (400, "options.lane")),
    ],
)
async def test_wrong_headers_are_refused_before_anything_is_read(
    api: RunningApi, headers: dict[str, str], path: str, expected: tuple[int, str]
) -> None:
    response = await api.post(lines(2), path=f"/v1/documents{path}", **{"content_type": NDJSON} | headers)
    refused = await problem(response)
    assert (response.status, refused["errors"][0]["field"]) == expected
    assert api.broker.jobs == []


async def test_the_owner_of_each_document_is_the_key_that_posted(start_api: StartApi) -> None:
    api = await start_api(keys=("paper:secret-of-the-paper",))
    assert (await post(api, lines(2))).status == 401
    await answers(await post(api, lines(2), Authorization="Bearer secret-of-the-paper"))
    assert [job.owner for job in api.broker.jobs] == ["paper", "paper"]


class Sender:
    """A body that is sent as it is told. `sent` are the bytes that the client has taken."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.sent = 0

    def send(self, body: bytes | None) -> None:
        self._queue.put_nowait(body)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (body := await self._queue.get()) is not None:
            yield body
            self.sent += len(body)


async def test_a_receipt_comes_while_the_rest_is_still_being_sent(api: RunningApi) -> None:
    sender = Sender()
    sender.send(line("First") + b'{"text": "Sec')
    async with await post(api, aiter(sender)) as response:
        assert json.loads(await response.content.readline())["line"] == 1
        sender.send(b'ond"}\n')
        assert json.loads(await response.content.readline())["line"] == 2
        sender.send(None)
        assert await response.content.read() == b""


async def test_no_more_is_read_than_the_broker_confirms(api: RunningApi) -> None:
    api.broker.open_gate.clear()
    sender, size = Sender(), 4000
    for number in range(size):
        sender.send(line(f"Copy {number} " + "x" * 10_000))
    sender.send(None)
    posting = asyncio.create_task(post(api, aiter(sender)))
    sent = -1
    while sender.sent != sent:  # until nothing more is taken
        sent = sender.sent
        await asyncio.sleep(0.3)
    assert api.broker.waiting_puts <= 256
    assert sent < 20_000_000  # of 40 MB: 2.6 MB that wait for confirms, and what fits into the sockets' buffers
    api.broker.open_gate.set()
    assert in_short(await answers(await posting)) == [(number, 202) for number in range(1, size + 1)]


async def test_what_comes_while_batches_wait_for_their_confirms_is_put_together(api: RunningApi) -> None:
    assert api.client.app is not None
    reading = api.client.app[READING]
    api.broker.open_gate.clear()
    sender, sent = Sender(), 0
    posting = asyncio.create_task(post(api, aiter(sender)))
    for number in range(24):
        sender.send(line(f"Copy {number}"))
        sent += len(line(f"Copy {number}")) - 1
        while reading.held < sent:  # noqa: ASYNC110 - nothing tells of what is held
            await asyncio.sleep(0)
    assert api.broker.waiting_puts == 4
    api.broker.open_gate.set()
    sender.send(None)
    assert in_short(await answers(await posting)) == [(number, 202) for number in range(1, 25)]
    assert api.broker.put_together == [20]
    assert api.sample("copydesk_receipt_seconds_count") == 5
    assert api.sample("copydesk_request_seconds_count", method="POST", route="/v1/documents", status="200") == 0


async def test_many_requests_at_once_hold_no_more_together_than_they_may(start_api: StartApi) -> None:
    api = await start_api(limits={"all_bulk_bytes": 200_000})
    api.broker.open_gate.clear()
    body = b"".join(line(f"{number} " + "x" * 9_000) for number in range(100))
    posting = [asyncio.create_task(post(api, body)) for _ in range(5)]
    await api.broker.until_put_waits()
    waiting = -1
    while api.broker.waiting_puts != waiting:  # until nothing more is taken
        waiting = api.broker.waiting_puts
        await asyncio.sleep(0.3)
    assert waiting * 9_000 < 200_000 + 5 * 262_144  # and what one piece of each holds
    api.broker.open_gate.set()
    for one in posting:
        assert len(await answers(await one)) == 100
    assert len(api.broker.jobs) == 500
    assert api.client.app is not None
    assert api.client.app[READING].held == 0


async def test_a_full_broker_is_waited_for(api: RunningApi) -> None:
    api.broker.open_gate.clear()
    posting = asyncio.create_task(post(api, lines(3)))
    await api.broker.until_put_waits()
    await api.broker.refuse_waiting_puts(BrokerFull())
    await api.broker.until_put_waits()  # they are offered again
    api.broker.refusal = None
    api.broker.open_gate.set()
    assert in_short(await answers(await posting)) == [(1, 202), (2, 202), (3, 202)]
    assert len(api.broker.jobs) == 3


@pytest.mark.parametrize(
    ("refusal", "status", "retry_after"), [(BrokerFull(), 429, 10), (BrokerUnavailable("secret"), 503, 5)]
)
async def test_a_broker_that_does_not_come_back_ends_the_answer(
    start_api: StartApi, refusal: Exception, status: int, retry_after: int
) -> None:
    api = await start_api(limits={"bulk_max_wait_s": 0.1})
    sender = Sender()
    sender.send(line("First"))
    async with await post(api, aiter(sender)) as response:
        await response.content.readline()
        api.broker.refusal = refusal
        sender.send(lines(2) + b"no json\n")
        sender.send(lines(10_000))
        sender.send(None)
        rest = [json.loads(one) for one in (await response.text()).splitlines()]
    assert [(one["line"], one["status"]) for one in rest[:3]] == [(2, status), (3, status), (4, 400)]
    assert rest[0]["retry_after"] == retry_after
    assert len(rest) < 1000  # what was read before it gave up
    assert "secret" not in str(rest)
    assert [job.content for job in api.broker.jobs] == ["First"]


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (gzip.compress(lines(100)), "gzip"),
        (gzip.compress(lines(50)) + gzip.compress(lines(50)), "gzip"),
        (zstd.compress(lines(100)), "zstd"),
    ],
)
async def test_a_compressed_body_is_read_as_it_comes(api: RunningApi, body: bytes, coding: str) -> None:
    found = await answers(await post(api, body, Content_Encoding=coding))
    assert in_short(found) == [(number, 202) for number in range(1, 101)]


LONG = line("First") + line("x" * 5_000_000) + line("Last")


@pytest.mark.parametrize(
    ("body", "coding"),
    [(gzip.compress(LONG), "gzip"), (zstd.compress(LONG), "zstd"), (zlib.compress(LONG), "deflate")],
    ids=["gzip", "zstd", "deflate"],
)
async def test_a_line_that_is_long_only_after_decompression_is_refused_and_spoils_no_other(
    api: RunningApi, body: bytes, coding: str
) -> None:
    assert in_short(await answers(await post(api, body, Content_Encoding=coding))) == [
        (1, 202),
        (2, 413, "content-too-large", "body too_large"),
        (3, 202),
    ]


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (gzip.compress(lines(3) + b'{"text": "half')[:-9], "gzip"),
        (zstd.compress(lines(3) + b'{"text": "half')[:-1], "zstd"),
        (gzip.compress(lines(3)) + b"no gzip", "gzip"),
        (lines(3), "zstd"),
    ],
)
async def test_a_body_that_is_coded_wrongly_ends_the_answer(api: RunningApi, body: bytes, coding: str) -> None:
    *stored, last = await answers(await post(api, body, Content_Encoding=coding))
    assert len(stored) == len(api.broker.jobs) <= 3
    assert in_short([last]) == [(len(stored) + 1, 400, "malformed-body", "body framing")]


async def test_a_body_that_stands_still_ends_the_answer(start_api: StartApi) -> None:
    api = await start_api(limits={"body_timeout_s": 0.2})
    sender = Sender()
    sender.send(lines(2) + b'{"text": "half')
    async with await post(api, aiter(sender)) as response:
        assert in_short(await answers(response)) == [(1, 202), (2, 202), (3, 408, "body-timeout")]
    assert len(api.broker.jobs) == 2


async def test_a_server_that_stops_ends_the_answer_with_all_receipts(api: RunningApi) -> None:
    sender = Sender()
    sender.send(lines(2))
    async with await post(api, aiter(sender)) as response:
        await response.content.readline()
        assert api.client.app is not None
        await stop_reading(api.client.app)
        rest = [json.loads(one) for one in (await response.text()).splitlines()]
    assert in_short(rest) == [(2, 202), (3, 503, "stopping")]
    assert in_short(await answers(await post(api, lines(1)))) == [(1, 503, "stopping")]


async def test_a_client_that_goes_away_loses_only_what_had_no_receipt(api: RunningApi) -> None:
    sender = Sender()
    sender.send(lines(2) + b'{"text": "half')
    response = await post(api, aiter(sender), Idempotency_Key="batch")
    first = json.loads(await response.content.readline())
    second = json.loads(await response.content.readline())
    response.close()
    again = await answers(await post(api, lines(3), Idempotency_Key="batch"))
    assert [first, second] == again[:2]
    stored: dict[str, set[str | None]] = {}
    for job in api.broker.jobs:
        stored.setdefault(job.id, set()).add(job.content)
    assert stored == {one["id"]: {f"Copy {number}"} for number, one in enumerate(again)}
    assert api.sample("copydesk_refused_total", reason="internal_error") == 0


async def test_a_job_that_is_too_large_for_the_broker_spoils_no_other(start_api: StartApi) -> None:
    api = await start_api(limits={"max_body_bytes": 20_000_000})
    body = line("First") + json.dumps({"text": "“" * 4_500_000}, ensure_ascii=False).encode() + b"\n" + line("Last")
    sender = Sender()
    sender.send(body)
    sender.send(None)
    assert in_short(await answers(await post(api, aiter(sender)))) == [
        (1, 202),
        (2, 413, "content-too-large", "body too_large"),
        (3, 202),
    ]
