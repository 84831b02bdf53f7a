"""Measures the time for URLs of many hosts, some dead, slow, or with a crawl delay, in a worker and in `extract`.

    python -m bench.fetch_many_hosts [HOSTS] [URLS_PER_HOST]

Of ten hosts one is dead (every other one refuses connections, the others take none and say nothing, so that connecting
times out after 10 s), one takes 10 s for each page, one asks for `Crawl-delay: 5`, and the others answer after 0.05 s.
All have addresses of loopback. The worker has the defaults of two cores, an embedded broker, and no parsing. Prints the
seconds from acceptance to the end of a document's first attempt, and for `extract` those to the last event.
"""

import asyncio
import random
import socket
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager

import structlog
from aiohttp import web

from bench.fetch_hosts import deployment
from contract.events import Event, FailedEvent
from contract.submission import Checked, check_submission
from runtime.extraction import extract
from runtime.settings import load
from tests.rabbit_node import free_ports

KINDS = ("dead", "slow", "delay", *["good"] * 7)
SLOW_S, GOOD_S = 10.0, 0.05  # time that a page of a slow and of a good host takes; chosen
DEFAULTS = (1000, 1)  # hosts, and URLs of each; chosen
PAGE = "<!doctype html><html lang=en><title>Ferry</title><article><h1>The ferry moves</h1>" + (
    "<p>The harbour council voted on Tuesday evening to move the ferry landing two hundred metres up the coast.</p>" * 6
)


def host_of(number: int) -> str:
    return f"127.1.{number // 250}.{number % 250 + 1}"


def kind_of(number: int) -> str:
    return KINDS[number % len(KINDS)]


@asynccontextmanager
async def served() -> AsyncIterator[int]:
    """Serves a page at every address of loopback, in the way of the host's kind; yields the port."""

    async def answer(request: web.Request) -> web.Response:
        _, _, high, low = map(int, (request.url.host or "").split("."))
        kind = kind_of(high * 250 + low - 1)
        if request.path == "/robots.txt":
            return web.Response(text="User-agent: *\nCrawl-delay: 5" if kind == "delay" else "")
        await asyncio.sleep(SLOW_S if kind == "slow" else GOOD_S)
        return web.Response(text=PAGE, content_type="text/html")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        (port,) = free_ports(1)
        await web.TCPSite(runner, "0.0.0.0", port, backlog=1024).start()  # noqa: S104 - loopback has many addresses
        yield port
    finally:
        await runner.cleanup()


@contextmanager
def mute() -> Iterator[int]:
    """Yields a port that never accepts connections: its queue of waiting connections is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("0.0.0.0", 0))  # noqa: S104 - the same
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", listener.getsockname()[1]))
        yield listener.getsockname()[1]


def urls_of(hosts: int, urls_per_host: int, port: int, mute_port: int) -> list[tuple[str, str]]:
    """Returns kinds and URLs, in an order that is the same each time."""
    (closed,) = free_ports(1)
    urls = []
    for number in range(hosts):
        kind = kind_of(number)
        at = ((closed, mute_port)[number // len(KINDS) % 2]) if kind == "dead" else port
        urls += [(kind, f"http://{host_of(number)}:{at}/{page}") for page in range(urls_per_host)]
    random.Random(1).shuffle(urls)  # noqa: S311 - an order, not a secret
    return urls


async def by_worker(urls: list[tuple[str, str]]) -> dict[str, list[float]]:
    """Returns the seconds to the end of each URL's first attempt, by kind."""
    seconds: dict[str, list[float]] = defaultdict(list)

    async def put(kind: str, url: str) -> None:
        seconds[kind].append(await side.put(url))

    async with deployment() as side, asyncio.TaskGroup() as group:
        work = group.create_task(side.work())
        async with asyncio.TaskGroup() as puts:
            for kind, url in urls:
                puts.create_task(put(kind, url))
        work.cancel()
    return seconds


async def by_extract(urls: list[tuple[str, str]]) -> tuple[float, Counter[str]]:
    """Returns the seconds to the last event, and the number of documents by outcome."""
    outcomes: Counter[str] = Counter()

    def submissions() -> Iterator[Checked]:
        yield from (check_submission({"url": url}) for _, url in urls)

    def show(result: Event | str) -> None:
        outcomes[result.data.reason if isinstance(result, FailedEvent) else "processed"] += 1

    settings = load({"fetch_allow_networks": ("127.0.0.0/8",), "log_level": "error"}, environ={})
    began = time.perf_counter()
    await extract(submissions(), settings, show)
    return time.perf_counter() - began, outcomes


async def measure(hosts: int, urls_per_host: int) -> None:
    async with served() as port:
        with mute() as mute_port:
            urls = urls_of(hosts, urls_per_host, port, mute_port)
            took_s, outcomes = await by_extract(urls)
            print(f"extract  {len(urls)} URLs of {hosts} hosts in {took_s:.1f} s: {dict(outcomes)}", flush=True)
            seconds = await by_worker(urls)
    everything = max(map(max, seconds.values()))
    print(f"worker   {len(urls)} URLs of {hosts} hosts, the last first attempt ended after {everything:.1f} s")
    for kind, each in sorted(seconds.items()):
        print(f"  {kind:6} median {statistics.median(each):6.1f} s, last {max(each):6.1f} s, of {len(each)}")


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    given = [int(argument) for argument in sys.argv[1:]]
    hosts, urls_per_host = (*given, *DEFAULTS[len(given) :])
    asyncio.run(measure(hosts, urls_per_host))


if __name__ == "__main__":
    main()
