"""A bulk of the Python client against a server that refuses lines, ends early and breaks off."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from copydesk_client import Busy, Invalid, NotAllowed, Outcome, Submission, Unreachable, connect

Script = Callable[[int, str], dict[str, Any] | None]
"""Returns the line that answers a request's number (from 1) and a line's text; None breaks the connection."""


class Intake:
    """A server that stores lines as `script` says, and remembers what came."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.stored: list[tuple[int, str]] = []
        self.keys: set[str] = set()
        self.requests = 0

    async def post(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        self.keys.add(request.headers["Idempotency-Key"])
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        number = 0
        async for line in request.content:
            number += 1
            if not line.strip():
                continue
            text = json.loads(line)["text"]
            told = self._script(self.requests, text)
            if told is None:
                assert request.transport is not None
                request.transport.abort()
                return response
            if told["status"] == 202:
                self.stored.append((number, text))
            await response.write(json.dumps({"line": number, **told}).encode() + b"\n")
            if told.get("type") == "/problems/stopping":
                response.force_close()
                return response
        return response


def stored(text: str) -> dict[str, Any]:
    return {"id": f"id of {text}", "lane": "bulk", "status": 202}


def refused(slug: str, status: int, **more: object) -> dict[str, Any]:
    return {"type": f"/problems/{slug}", "title": slug, "status": status, "detail": slug, **more}


def documents(count: int) -> Iterator[Submission]:
    return ({"text": str(number)} for number in range(1, count + 1))


@pytest.fixture
async def intake(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Intake, str]]:
    intake = Intake(request.param)
    app = web.Application()
    app.router.add_post("/v1/documents", intake.post)
    async with TestServer(app) as server:
        yield intake, str(server.make_url("/"))


async def outcomes(url: str, source: Any, patience_s: float = 20) -> Sequence[tuple[int, Outcome]]:  # noqa: ANN401 - of many types
    async with connect(url, patience_s=patience_s) as copydesk:
        return [one async for one in copydesk.bulk(source, key="k")]


def breaks_twice(request: int, text: str) -> dict[str, Any] | None:
    return None if (request, text) in {(1, "30"), (2, "31")} else stored(text)


@pytest.mark.parametrize("intake", [breaks_twice], indirect=True)
async def test_after_a_break_off_the_rest_is_sent_in_its_old_places(intake: tuple[Intake, str]) -> None:
    server, url = intake
    found = await outcomes(url, documents(100))
    assert found == [(number, {"id": f"id of {number}", "lane": "bulk"}) for number in range(1, 101)]
    assert set(server.stored) == {(number, str(number)) for number in range(1, 101)}
    assert (server.keys, server.requests) == ({"k"}, 3)


def full_for_a_moment(request: int, text: str) -> dict[str, Any]:
    busy = request == 1 and text in {"5", "7"}
    return refused("intake-full", 429, retry_after=1) if busy else stored(text)


@pytest.mark.parametrize("intake", [full_for_a_moment], indirect=True)
async def test_lines_that_are_refused_for_now_are_sent_again_alone(intake: tuple[Intake, str]) -> None:
    server, url = intake
    found = await outcomes(url, documents(9))
    assert sorted(number for number, _ in found) == list(range(1, 10))
    assert server.stored == [(n, str(n)) for n in (1, 2, 3, 4, 6, 8, 9, 5, 7)]


def one_is_wrong(_: int, text: str) -> dict[str, Any]:
    return (
        refused("invalid-submission", 422, errors=[{"field": "text", "message": "no"}]) if text == "2" else stored(text)
    )


@pytest.mark.parametrize("intake", [one_is_wrong], indirect=True)
async def test_what_is_refused_for_good_is_an_outcome(intake: tuple[Intake, str]) -> None:
    server, url = intake
    (_, first), (_, second), (_, third) = await outcomes(url, documents(3))
    assert isinstance(second, Invalid)
    assert (second.line, second.slug) == (2, "invalid-submission")
    assert not isinstance(first, Exception)
    assert not isinstance(third, Exception)
    assert server.requests == 1


def stops(request: int, text: str) -> dict[str, Any]:
    return refused("stopping", 503) if request == 1 and text == "4" else stored(text)


@pytest.mark.parametrize("intake", [stops], indirect=True)
async def test_a_server_that_stops_is_asked_again(intake: tuple[Intake, str]) -> None:
    _, url = intake
    assert [number for number, _ in await outcomes(url, documents(50))] == list(range(1, 51))


def revoked(_: int, text: str) -> dict[str, Any]:
    return refused("unauthorized", 401) if text == "3" else stored(text)


@pytest.mark.parametrize("intake", [revoked], indirect=True)
async def test_a_key_that_is_revoked_ends_the_bulk(intake: tuple[Intake, str]) -> None:
    _, url = intake
    with pytest.raises(NotAllowed):
        await outcomes(url, documents(9))


def always_full(_: int, __: str) -> dict[str, Any]:
    return refused("intake-full", 429, retry_after=1)


@pytest.mark.parametrize("intake", [always_full], indirect=True)
async def test_patience_ends(intake: tuple[Intake, str]) -> None:
    server, url = intake
    with pytest.raises(Busy):
        await outcomes(url, documents(3), patience_s=1.5)
    assert server.requests == 2


async def test_a_server_that_is_away_is_unreachable() -> None:
    with pytest.raises(Unreachable):
        await outcomes("http://127.0.0.1:9", documents(3), patience_s=0.1)


def takes_all(_: int, text: str) -> dict[str, Any]:
    return stored(text)


@pytest.mark.parametrize("intake", [takes_all], indirect=True)
async def test_an_error_of_the_callers_source_comes_after_the_receipts_before_it(intake: tuple[Intake, str]) -> None:
    server, url = intake

    async def broken() -> AsyncIterator[Submission]:
        for document in documents(3):
            yield document
        raise FileNotFoundError

    found = []

    async def bulk() -> None:
        async with connect(url) as copydesk:
            async for number, _ in copydesk.bulk(broken()):
                found.append(number)

    with pytest.raises(FileNotFoundError):
        await bulk()
    assert found == [1, 2, 3]
    assert len(server.stored) == 3


@pytest.mark.parametrize("intake", [breaks_twice], indirect=True)
async def test_a_break_off_does_not_end_the_callers_generator(intake: tuple[Intake, str]) -> None:
    _, url = intake

    async def slow() -> AsyncIterator[Submission]:
        for document in documents(60):
            yield document
            await asyncio.sleep(0.005)

    assert [number for number, _ in await outcomes(url, slow())] == list(range(1, 61))


@pytest.mark.parametrize("intake", [takes_all], indirect=True)
async def test_nothing_to_send_is_no_request(intake: tuple[Intake, str]) -> None:
    server, url = intake
    assert await outcomes(url, []) == []
    assert server.requests == 0
