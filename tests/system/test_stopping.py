"""SIGTERM, once and twice, while a worker waits for the page of a document."""

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import aiohttp
import pytest

from tests.system.processes import Process, copydesk, running
from tests.system.test_rabbit import ready, subscriber

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

PARAGRAPH = (
    "<p>The harbour council voted on Tuesday evening to move the ferry landing two hundred metres up the coast, after "
    "the second flood in a year left the old pier under water for most of a week.</p>"
)
PAGE = f"<html lang=en><title>Ferry</title><article><h1>Ferry landing moves</h1>{PARAGRAPH * 2}".encode()
STOPPED_EARLY = 4
AT_ONCE_S = 20.0  # a busy machine; far below the deadline that is set
DEADLINE_S = 100.0
SETTINGS = {
    "COPYDESK_FETCH_ALLOW_NETWORKS": "127.0.0.0/8",
    "COPYDESK_FETCH_ROBOTS": "false",
    "COPYDESK_SHUTDOWN_TIMEOUT_S": str(DEADLINE_S),
}


class SlowSite(ThreadingHTTPServer):
    """Answers only once `opened` is set; `asked` tells that somebody waits."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), SlowPage)
        self.asked, self.opened = Event(), Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class SlowPage(BaseHTTPRequestHandler):
    server: SlowSite

    def do_GET(self) -> None:
        self.server.asked.set()
        self.server.opened.wait()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[SlowSite]:
    with SlowSite() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.opened.set()
            server.shutdown()
            thread.join()


@contextmanager
def up(data: Path) -> Iterator[Process]:
    with running("up", "--port", "0", "--ops-port", "0", "--data", str(data), settings=SETTINGS) as process:
        process.wait_for_urls("api", "ops")
        yield process


async def hold_a_document(process: Process, site: SlowSite) -> str:
    """Posts the page, and returns the document's id when a worker waits for it."""
    async with (
        aiohttp.ClientSession(process.wait_for_urls("api")["api"]) as http,
        http.post("/v1/documents", json={"url": site.url}) as response,
    ):
        assert response.status == 202, await response.text()
        document_id = str((await response.json())["id"])
    assert await asyncio.to_thread(site.asked.wait, 60)
    return document_id


async def until_stopping(process: Process) -> None:
    """Returns when the process is live, and not ready any more."""
    async with aiohttp.ClientSession(process.wait_for_urls("ops")["ops"]) as http:
        while True:
            async with http.get("/readyz") as response:
                if response.status == 503:
                    break
            await asyncio.sleep(0.05)
        async with http.get("/livez") as response:
            assert response.status == 200


def decided(process: Process) -> list[tuple[str, str]]:
    """Returns document and title of the first event."""
    done = copydesk("tail", "--url", process.wait_for_urls("api")["api"], "--after", "oldest", "--count", "1")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return [(event["subject"], event["data"]["title"]) for event in events]


async def test_after_one_signal_held_documents_are_finished(site: SlowSite, tmp_path: Path) -> None:
    with up(tmp_path) as process:
        document_id = await hold_a_document(process, site)
        process.signal(signal.SIGTERM)
        await until_stopping(process)
        site.opened.set()
        assert await asyncio.to_thread(process.wait) == 0
    with up(tmp_path) as process:
        assert decided(process) == [(document_id, "Ferry landing moves")]


async def test_a_second_signal_stops_at_once_and_gives_held_documents_back(site: SlowSite, tmp_path: Path) -> None:
    with up(tmp_path) as process:
        document_id = await hold_a_document(process, site)
        process.signal(signal.SIGTERM)
        await until_stopping(process)
        began = time.monotonic()
        assert await asyncio.to_thread(process.stop) == STOPPED_EARLY
        assert time.monotonic() - began < AT_ONCE_S
    site.opened.set()
    with up(tmp_path) as process:
        assert decided(process) == [(document_id, "Ferry landing moves")]


@pytest.mark.rabbit
async def test_a_second_signal_to_a_worker_hands_the_document_to_another(amqp_url: str, site: SlowSite) -> None:
    settings = SETTINGS | {"COPYDESK_AMQP_URL": amqp_url}
    serve = running("serve", "--port", "0", "--ops-port", "0", settings=settings)
    worker = partial(running, "work", "--slots", "1", "--ops-port", "0", settings=settings)
    with serve as intake, worker() as first:
        await ready(first.wait_for_urls("ops")["ops"])
        async with subscriber(amqp_url) as messages:
            document_id = await hold_a_document(intake, site)
            first.signal(signal.SIGTERM)
            await until_stopping(first)
            assert await asyncio.to_thread(first.stop) == STOPPED_EARLY
            site.opened.set()
            with worker():
                event = json.loads((await anext(messages)).body)
    assert (event["subject"], event["data"]["title"]) == (document_id, "Ferry landing moves")
