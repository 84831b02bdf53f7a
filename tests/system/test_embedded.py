"""`copydesk up` from outside: HTTP in, events out, crashes in between."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import aiohttp
import pytest

from tests.system.processes import Process, copydesk, running

pytestmark = pytest.mark.system

MESSY = """Share
Tweet
Print

Harbour Council Votes To Move The Ferry Landing After Second Flood

by Mara Quill
12 comments

The harbour council voted on Tuesday evening to move the ferry landing two hundred metres up the coast, after the
second flood in a year left the old pier under water for most of a week.

Residents of the lower town had asked for the move since the spring, and the council's engineer said that the new place
stands a metre higher and is sheltered from the south-westerly wind that did the damage.

Loading...
"""


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Process]:
    with start(tmp_path) as process:
        yield process


def start(data: Path) -> AbstractContextManager[Process]:
    return running(
        "up",
        "--port",
        "0",
        "--ops-port",
        "0",
        "--data",
        str(data),
        settings={"COPYDESK_FETCH_ALLOW_NETWORKS": "127.0.0.0/8"},
    )


async def post(api: str, text: str) -> str:
    headers = {"Content-Type": "text/plain"}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{api}/v1/documents", data=text, headers=headers) as response,
    ):
        assert response.status == 202, await response.text()
        return str((await response.json())["id"])


def tail(api: str, *options: str) -> list[dict[str, object]]:
    """Returns the events that `copydesk tail` prints in a pipe."""
    done = copydesk("tail", "--url", api, *options)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


async def test_messy_text_becomes_a_clean_article(up: Process) -> None:
    api = up.wait_for_urls("api")["api"]
    document_id = await post(api, MESSY)
    (event,) = tail(api, "--count", "1")
    article = event["data"]
    assert isinstance(article, dict)
    assert event["subject"] == document_id
    assert event["type"] == "copydesk.document.processed.v1"
    assert article["title"] == "Harbour Council Votes To Move The Ferry Landing After Second Flood"
    assert article["authors"] == ["Mara Quill"]
    assert article["language"] == "en"
    assert article["text"].startswith("The harbour council voted")
    assert article["text"].endswith("that did the damage.")
    assert {piece["text"] for piece in article["removed"]} >= {"Share", "Loading...", "12 comments"}


async def test_a_page_is_fetched_and_read(up: Process, tmp_path: Path) -> None:
    page = "<html lang=en><title>Ferry</title><article><h1>Ferry landing moves</h1>" + "".join(
        f"<p>{part}</p>" for part in MESSY.split("\n\n")[3:5]
    )
    (tmp_path / "page.html").write_text(page)
    handler = partial(QuietHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        api = up.wait_for_urls("api")["api"]
        url = f"http://127.0.0.1:{server.server_port}/page.html"
        done = copydesk("submit", "--url", api, url)
        assert done.returncode == 0, done.stderr
        (event,) = tail(api, "--count", "1")
        server.shutdown()
        thread.join()
    article = event["data"]
    assert isinstance(article, dict)
    assert article["title"] == "Ferry landing moves"
    assert article["provenance"]["fetch"]["status"] == 200


async def test_nothing_is_lost_when_it_is_killed(tmp_path: Path) -> None:
    with start(tmp_path) as first:
        api = first.wait_for_urls("api")["api"]
        accepted = [await post(api, f"{MESSY}\n\nEdition {number}.") for number in range(30)]
        first.kill()
    with start(tmp_path) as second:
        api = second.wait_for_urls("api")["api"]
        events = tail(api, "--after", "oldest", "--count", "30")
    assert {event["subject"] for event in events} == set(accepted)


async def test_stopping_is_clean_and_nothing_is_left_half_done(tmp_path: Path) -> None:
    with start(tmp_path) as process:
        api = process.wait_for_urls("api")["api"]
        accepted = [await post(api, MESSY) for _ in range(10)]
        assert process.stop() == 0
    with start(tmp_path) as process:
        events = tail(process.wait_for_urls("api")["api"], "--after", "oldest", "--count", "10")
    assert sorted(str(event["subject"]) for event in events) == sorted(accepted)


async def test_health_and_metrics_on_the_ops_port(up: Process) -> None:
    urls = up.wait_for_urls("api", "ops")
    await post(urls["api"], MESSY)
    tail(urls["api"], "--count", "1")
    async with aiohttp.ClientSession(urls["ops"]) as http:
        async with http.get("/livez") as response:
            assert response.status == 200
        async with http.get("/readyz") as response:
            states = await response.json()
            roles = ("broker", "api", "worker", "recorder", "deliverer")
            assert states == {"ready": True} | dict.fromkeys(roles, True)
        async with http.get("/metrics") as response:
            metrics = await response.text()
    assert 'copydesk_accepted_total{kind="text",lane="interactive"} 1.0' in metrics
    assert 'copydesk_verdicts_total{reason="processed",verdict="publish"} 1.0' in metrics
    assert 'copydesk_published_total{to="log"} 1.0' in metrics


async def test_events_resume_where_the_client_was(up: Process) -> None:
    api = up.wait_for_urls("api")["api"]
    accepted = [await post(api, f"{MESSY}\n\nEdition {number}.") for number in range(5)]
    tail(api, "--after", "oldest", "--count", "5")
    seen = [offset async for offset, _ in sse(api, None, 2)] + [offset async for offset, _ in sse(api, None, 5)][2:]
    resumed = [json.loads(data)["subject"] async for _, data in sse(api, seen[1], 3)]
    assert len(set(seen)) == 5
    assert set(resumed) < set(accepted)
    assert len(resumed) == 3


async def sse(api: str, last_event_id: str | None, count: int) -> AsyncIterator[tuple[str, str]]:
    """Yields offset and data of the first events."""
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    url = f"{api}/v1/events?after=oldest"
    async with aiohttp.ClientSession(read_bufsize=2**24) as http, http.get(url, headers=headers) as response:
        offset = ""
        async for line in response.content:
            name, _, value = line.decode().rstrip("\r\n").partition(": ")
            if name == "id":
                offset = value
            elif name == "data":
                yield offset, value
                count -= 1
                if not count:
                    return


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass
