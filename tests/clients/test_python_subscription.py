"""A subscription of the Python client against a server whose streams break off, repeat events and end."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from copydesk_client import NotAllowed, PositionGone, Seen, StreamEnded, Unreachable, connect

Line = dict[str, Any]


def event(offset: int, event_id: str) -> Line:
    return {"offset": offset, "event": {"id": event_id, "type": "copydesk.document.erased.v1"}}


class Log:
    """Answers each request with the next of its streams, and remembers where the client wanted to begin."""

    def __init__(self) -> None:
        self.streams: list[Sequence[Line] | tuple[str, int]] = []
        self.begun: list[str | None] = []
        self.queries: list[list[tuple[str, str]]] = []

    async def get(self, request: web.Request) -> web.StreamResponse:
        self.begun.append(request.headers.get("Last-Event-ID"))
        self.queries.append(list(request.query.items()))
        lines = self.streams.pop(0)
        if isinstance(lines, tuple):
            slug, status = lines
            return web.json_response({"type": f"/problems/{slug}", "title": slug}, status=status)
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        await response.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
        if "ended" not in lines[-1]:
            await response.write(b'{"offset": 99, "eve')  # cut off within a line
            assert request.transport is not None
            request.transport.close()
        return response


@pytest.fixture
async def log() -> AsyncIterator[tuple[Log, str]]:
    log = Log()
    app = web.Application()
    app.router.add_get("/v1/events", log.get)
    async with TestServer(app) as server:
        yield log, str(server.make_url("/"))


async def read(url: str, **options: Any) -> list[tuple[int, str]]:  # noqa: ANN401 - of `subscribe`
    async with connect(url, patience_s=20) as copydesk:
        return [(it.offset, it.event["id"]) async for it in copydesk.subscribe(**options)]


async def test_it_goes_on_behind_the_last_line_and_drops_repeats(log: tuple[Log, str]) -> None:
    server, url = log
    server.streams = [
        [event(1, "a"), event(2, "b"), {"offset": 7}],
        ("broker-unavailable", 503),
        [event(8, "b"), event(9, "c"), {"ended": "stopping"}],
        [event(10, "a"), event(11, "d"), {"ended": "complete"}],
    ]
    assert await read(url, after="oldest") == [(1, "a"), (2, "b"), (9, "c"), (11, "d")]
    assert server.begun == [None, "7", "7", "9"]


async def test_what_is_wanted_is_asked_for_each_time(log: tuple[Log, str]) -> None:
    server, url = log
    server.streams = [[event(1, "a")], [{"ended": "complete"}]]
    await read(url, patterns=["processed.#", "erased"], filter="has title", consumer="c", follow=False, last=3)
    assert server.queries[0] == server.queries[1]
    assert sorted(server.queries[0]) == [
        ("consumer", "c"),
        ("filter", "has title"),
        ("follow", "false"),
        ("format", "ndjson"),
        ("last", "3"),
        ("pattern", "erased"),
        ("pattern", "processed.#"),
    ]


@pytest.mark.parametrize("reason", ["superseded", "consumer_gone", "something_new"])
async def test_a_stream_that_ends_for_good_is_an_error(log: tuple[Log, str], reason: str) -> None:
    server, url = log
    server.streams = [[event(1, "a"), {"ended": reason}]]
    with pytest.raises(StreamEnded) as ended:
        await read(url)
    assert ended.value.reason == reason


@pytest.mark.parametrize(
    ("problem", "kind"), [(("position-gone", 410), PositionGone), (("unauthorized", 401), NotAllowed)]
)
async def test_a_refusal_is_an_error(log: tuple[Log, str], problem: tuple[str, int], kind: type[Exception]) -> None:
    server, url = log
    server.streams = [problem]
    with pytest.raises(kind):
        await read(url)


@pytest.mark.parametrize(("reason", "kind"), [("position_gone", PositionGone), ("key_refused", NotAllowed)])
async def test_a_stream_that_ends_for_the_reason_of_a_refusal_is_that_error(
    log: tuple[Log, str], reason: str, kind: type[Exception]
) -> None:
    server, url = log
    server.streams = [[event(1, "a"), {"ended": reason}]]
    with pytest.raises(kind, match=reason):
        await read(url)


async def test_two_subscriptions_may_share_what_they_have_seen(log: tuple[Log, str]) -> None:
    server, url = log
    server.streams = [[event(1, "a"), {"ended": "complete"}], [event(2, "a"), event(3, "b"), {"ended": "complete"}]]
    seen = Seen()
    assert await read(url, seen=seen) == [(1, "a")]
    assert await read(url, seen=seen) == [(3, "b")]


def test_what_is_seen_is_bounded() -> None:
    seen = Seen(2)
    assert [seen.is_new(one) for one in "abacab"] == [True, True, False, True, True, True]


async def test_patience_ends() -> None:
    async with connect("http://127.0.0.1:9", patience_s=0.1) as copydesk:
        with pytest.raises(Unreachable):
            [_ async for _ in copydesk.subscribe()]
