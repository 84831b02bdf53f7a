"""What the Python client sends: names in paths, keys, and to which URLs."""

from collections.abc import AsyncIterator
from http import HTTPStatus

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from copydesk_client import connect
from copydesk_client.problems import Missing, TakesTooLong

ODD = "../a b/\u00fc?x=1#%2F"
ODD_QUOTED = "..%2Fa%20b%2F%C3%BC%3Fx=1%23%252F"


class Server:
    """Answers everything with `status`, and remembers what was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.status = HTTPStatus.OK
        self.problem = "about:blank"
        self.asked: list[str] = []
        self.keys: list[str | None] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.raw_path}")
        self.keys.append(request.headers.get("Idempotency-Key"))
        return web.json_response({"id": "1", "type": self.problem}, status=self.status)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    found = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", found.answer)
    async with TestServer(app) as server:
        found.url = str(server.make_url("/"))
        yield found


async def test_a_name_in_a_path_is_one_segment_of_it_whatever_it_holds(server: Server) -> None:
    async with connect(server.url) as client:
        await client.look_up(ODD)
        await client.wait(ODD)
        await client.batch(ODD)
        await client.close_batch(ODD)
        await client.commit(ODD, 1)
    assert [asked.replace("%3D", "=") for asked in server.asked] == [
        f"GET /v1/documents/{ODD_QUOTED}",
        f"GET /v1/documents/{ODD_QUOTED}?format=event",
        f"GET /v1/batches/{ODD_QUOTED}",
        f"POST /v1/batches/{ODD_QUOTED}/close",
        f"POST /v1/consumers/{ODD_QUOTED}/commit",
    ]


@pytest.mark.parametrize("prefix", ["feeds/copydesk", "feeds/copydesk/"])
async def test_a_server_behind_a_proxy_may_have_a_path(server: Server, prefix: str) -> None:
    async with connect(server.url + prefix) as client:
        await client.look_up("1")
        await client.submit({"text": "The ferry sails again."})
    assert server.asked == ["GET /feeds/copydesk/v1/documents/1", "POST /feeds/copydesk/v1/documents"]


@pytest.mark.parametrize("name", ["", ".", ".."])
async def test_a_name_that_would_be_another_path_is_refused(server: Server, name: str) -> None:
    async with connect(server.url) as client:
        with pytest.raises(ValueError, match="no id"):
            await client.look_up(name)
    assert server.asked == []


async def test_an_empty_key_is_sent_for_the_server_to_refuse(server: Server) -> None:
    async with connect(server.url) as client:
        await client.submit({"text": "a"}, key="")
        await client.process({"text": "a"}, key="")
        await client.submit({"text": "a"})
    assert server.keys[:2] == ["", ""]
    assert server.keys[2]


async def test_who_waits_for_a_document_that_there_is_not_hears_so_at_the_end_of_the_time(server: Server) -> None:
    server.status, server.problem = HTTPStatus.NOT_FOUND, "/problems/not-found"
    async with connect(server.url) as client:
        with pytest.raises(Missing, match="not-found"):
            await client.wait("nope", timeout_s=0.1)
    assert len(server.asked) > 1  # it may be that the acceptance was not recorded yet


async def test_who_waits_for_a_document_that_is_not_decided_hears_that_it_takes_too_long(server: Server) -> None:
    server.status = HTTPStatus.ACCEPTED
    async with connect(server.url) as client:
        with pytest.raises(TakesTooLong, match="nope"):
            await client.wait("nope", timeout_s=0.1)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "127.0.0.1:8080", "", "localhost:8080", "http:///v1"])
async def test_a_url_that_is_none_of_http_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="http://"):
        async with connect(url):
            pass
