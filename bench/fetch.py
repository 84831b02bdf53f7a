"""Measures the pages per second that the fetcher gets from a local server, compared with plain aiohttp, 64 at once.

    python -m bench.fetch [PAGES_PER_ROUND] [ROUNDS]

Three variants, each from a URL to the text of its page: plain aiohttp (`session.get`, `read`, `text`, no checks), the
fetcher as in `copydesk extract`, and with host queues and robots.txt as in a worker (but without an interval). The
server is a separate process at 128 addresses; its pages have the size of news pages (101 kB, 18 kB gzipped). The
variants alternate in this process, each round in another order; medians are compared.
"""

import asyncio
import gzip
import multiprocessing
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from multiprocessing.connection import Connection

from aiohttp import ClientSession, TCPConnector, web
from prometheus_client import CollectorRegistry

from contract.metrics import Metrics
from runtime.brokers.local_leases import LocalLeases
from workers.decode import decode
from workers.fetch import Fetcher, FetchLimits, Reach, admit_all
from workers.fetch.client import GuardedClient
from workers.fetch.fetcher import Admission
from workers.fetch.host_failures import HostFailures
from workers.fetch.host_queues import HostQueues
from workers.fetch.limits import HostFailureLimits, HostLimits
from workers.fetch.politeness import Politeness
from workers.fetch.robots import Robots, RobotsLimits

AT_ONCE = 64  # fetches in flight; chosen: more than one core can serve
HOSTS = [f"127.0.1.{number}" for number in range(1, 129)]
DEFAULTS = (2000, 9)  # pages and rounds; chosen: some minutes
ROBOTS = "User-agent: *\nDisallow: /search\nDisallow: /*?print=\nCrawl-delay: 0\n\nUser-agent: mirror\nDisallow: /\n"
WORDS = 2500  # words of a page; chosen: 18 kB gzipped
BARE = "bare aiohttp"

Fetch = Callable[[str], Awaitable[str]]


def page(seed: int) -> str:
    """Returns a page of about 100 kB that gzip compresses like pages of newspapers."""
    chance = random.Random(seed)  # noqa: S311 - the same pages each time
    words = ["".join(chance.choices("etaoinshrdlucmfwypvbg", k=chance.randint(2, 10))) for _ in range(WORDS)]

    def prose(count: int) -> str:
        return " ".join(chance.choices(words, k=count)).capitalize() + "."

    items = "".join(
        f'<li class="menu-item menu-item-type-custom menu-item-{number}"><a href="https://www.example.com/section/'
        f'{chance.choice(words)}/" data-track="navigation" class="menu-link"><span>{chance.choice(words)}</span></a>'
        "</li>\n"
        for number in range(300)
    )
    passages = "".join(f'<p class="article-body__paragraph">{prose(50)}</p>\n' for _ in range(36))
    metas = "".join(f'<meta property="og:{name}" content="{prose(12)}">\n' for name in ("title", "description", "site"))
    styles = "".join(f".c-{word}__{number}{{display:flex;margin:0 auto}}" for number, word in enumerate(words[:800]))
    return (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{prose(8)}</title>\n{metas}"
        f"<style>{styles}</style></head><body><nav><ul>{items}</ul></nav><article>{passages}</article></body></html>"
    )


PAGES = [page(seed) for seed in range(8)]


def serve(pipe: Connection) -> None:
    """Serves `PAGES` in turn under every path, gzipped, at every address of loopback, and sends its port."""
    packed = [gzip.compress(page.encode(), 6) for page in PAGES]
    headers = {"Content-Type": "text/html; charset=utf-8", "Content-Encoding": "gzip"}

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/robots.txt":
            return web.Response(text=ROBOTS)
        return web.Response(body=packed[int(request.match_info["number"]) % len(PAGES)], headers=headers)

    async def run() -> None:
        app = web.Application()
        app.router.add_get("/robots.txt", answer)
        app.router.add_get("/page/{number}", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "0.0.0.0", 0, backlog=1024).start()  # noqa: S104 - loopback has many addresses
        pipe.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    with suppress(KeyboardInterrupt):
        asyncio.run(run())


async def round_of(fetch: Fetch, port: int, pages: int) -> tuple[float, float]:
    """Returns pages a second, and pages a CPU second of this process, which depends less on other processes."""
    numbers = iter(range(pages))

    async def work() -> None:
        for number in numbers:
            text = await fetch(f"http://{HOSTS[number % len(HOSTS)]}:{port}/page/{number}")
            assert len(text) == len(PAGES[number % len(PAGES)])

    began, began_cpu = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())
    return pages / (time.perf_counter() - began), pages / (time.process_time() - began_cpu)


@asynccontextmanager
async def bare() -> AsyncIterator[Fetch]:
    """Yields a fetch as in a tutorial of aiohttp."""
    async with ClientSession(connector=TCPConnector(limit=0)) as session:

        async def fetch(url: str) -> str:
            async with session.get(url) as response:
                await response.read()
                return await response.text()

        yield fetch


@asynccontextmanager
async def guarded(client: GuardedClient, limits: FetchLimits, admission: Admission) -> AsyncIterator[Fetch]:
    """Yields a fetch with the fetcher, and with the decoding of a parser child."""
    fetcher = Fetcher(client, limits, Metrics(CollectorRegistry()), admission=admission)

    async def fetch(url: str) -> str:
        page = await fetcher.fetch(url)
        return decode(page.body, page.charset).text

    yield fetch


async def compare(port: int, pages: int, rounds: int) -> None:
    limits = FetchLimits()
    hosts = HostLimits(interval_s=0.0, waiting=AT_ONCE, waiting_per_host=AT_ONCE)
    async with (
        GuardedClient(limits, Reach(allow_networks=("127.0.0.0/8",))) as alone,
        GuardedClient(limits, Reach(allow_networks=("127.0.0.0/8",))) as client,
        HostQueues(LocalLeases().hold, hosts, HostFailures(HostFailureLimits())) as queues,
        bare() as bare_fetch,
        guarded(alone, limits, admit_all) as fetch,
        guarded(
            client, limits, Politeness(queues, Robots(client, RobotsLimits(), limits, "copydesk")).admit
        ) as polite_fetch,
    ):
        sides = {
            BARE: bare_fetch,
            "copydesk, guards alone": fetch,
            "copydesk, all checks": polite_fetch,
        }
        for each in sides.values():
            await round_of(each, port, len(HOSTS) * 2)
        rounds_of: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
        for number in range(rounds):
            names = [*sides][number % len(sides) :] + [*sides][: number % len(sides)]
            for name in names:
                rounds_of[name].append(await round_of(sides[name], port, pages))
    report(rounds_of)


def report(rounds_of: dict[str, list[tuple[float, float]]]) -> None:
    medians = {
        name: [statistics.median(each) for each in zip(*rates, strict=True)] for name, rates in rounds_of.items()
    }
    for name, (rate, cpu_rate) in medians.items():
        slowest, fastest = min(rounds_of[name])[0], max(rounds_of[name])[0]
        print(
            f"{name:34} {rate:5.0f} pages/s (rounds {slowest:.0f} to {fastest:.0f}), {cpu_rate:.0f} a CPU second;"
            f" {rate / medians[BARE][0]:.2f} and {cpu_rate / medians[BARE][1]:.2f} of the bare loop"
        )


def main() -> None:
    given = [int(argument) for argument in sys.argv[1:]]
    pages, rounds = (*given, *DEFAULTS[len(given) :])
    print(f"pages of {len(PAGES[0]) // 1000} kB, gzipped {len(gzip.compress(PAGES[0].encode(), 6)) // 1000} kB")
    near, far = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(far,), daemon=True)
    server.start()
    try:
        asyncio.run(compare(near.recv(), pages, rounds))
    finally:
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
