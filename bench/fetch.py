"""Pages per second that the fetcher takes from a local server, beside a bare aiohttp loop, 64 at once each.

    python bench/fetch.py [PAGES_PER_ROUND] [ROUNDS]

The server is a process of its own. Rounds take turns in this process, each side first as often as the other, and the
medians are compared. Both sides undo the pages' compression; the bare loop checks nothing.
"""

import asyncio
import gzip
import multiprocessing
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from multiprocessing.connection import Connection

from aiohttp import ClientSession, TCPConnector, web
from prometheus_client import CollectorRegistry

from contract.metrics import Metrics
from workers.fetch import Fetcher, FetchLimits, Reach
from workers.fetch.client import GuardedClient

AT_ONCE = 64
DEFAULTS = (2000, 10)
SENTENCE = "The council met on Tuesday and voted nine to four to renew the old bridge over the river. "
PAGE = (
    "<!doctype html><html lang=en><head><meta charset=utf-8><title>Council renews bridge</title>"
    + '<meta name="viewport" content="width=device-width">' * 20
    + "</head><body>"
    + "".join(f"<p class=part-{number}>{SENTENCE * 5}</p>\n" for number in range(100))
).encode()


def serve(pipe: Connection) -> None:
    """Serves `PAGE` under every path, gzipped, and tells its port."""
    packed = gzip.compress(PAGE)

    async def answer(_: web.Request) -> web.Response:
        return web.Response(
            body=packed, headers={"Content-Type": "text/html; charset=utf-8", "Content-Encoding": "gzip"}
        )

    async def run() -> None:
        app = web.Application()
        app.router.add_get("/{path:.*}", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
        await site.start()
        pipe.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    with suppress(KeyboardInterrupt):
        asyncio.run(run())


async def round_of(fetch: Callable[[str], Awaitable[int]], base: str, pages: int) -> tuple[float, float]:
    """Returns pages a second, and pages a second of this process' CPU, which other processes disturb less."""
    numbers = iter(range(pages))

    async def work() -> None:
        for number in numbers:
            assert await fetch(f"{base}/page/{number}") == len(PAGE)

    began, began_cpu = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())
    return pages / (time.perf_counter() - began), pages / (time.process_time() - began_cpu)


async def compare(port: int, pages: int, rounds: int) -> None:
    base = f"http://127.0.0.1:{port}"
    limits = FetchLimits()
    reach = Reach(allow_networks=("127.0.0.0/8",))
    async with (
        GuardedClient(limits, reach) as client,
        ClientSession(connector=TCPConnector(limit=0)) as session,
    ):
        fetcher = Fetcher(client, limits, Metrics(CollectorRegistry()))

        async def ours(url: str) -> int:
            return len((await fetcher.fetch(url)).body)

        async def bare(url: str) -> int:
            async with session.get(url) as response:
                return len(await response.read())

        sides = {"copydesk": ours, "bare aiohttp": bare}
        for fetch in sides.values():
            await round_of(fetch, base, AT_ONCE * 2)
        rounds_of: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
        for number in range(rounds):
            for name in sorted(sides, reverse=number % 2 == 1):
                rounds_of[name].append(await round_of(sides[name], base, pages))
    report(rounds_of)


def report(rounds_of: dict[str, list[tuple[float, float]]]) -> None:
    medians = {
        name: [statistics.median(each) for each in zip(*rates, strict=True)] for name, rates in rounds_of.items()
    }
    for name, (rate, cpu_rate) in medians.items():
        slowest, fastest = min(rounds_of[name])[0], max(rounds_of[name])[0]
        print(f"{name:12} {rate:6.0f} pages/s (rounds {slowest:.0f} to {fastest:.0f}), {cpu_rate:.0f} a CPU second")
    (ours, ours_cpu), (bare, bare_cpu) = medians["copydesk"], medians["bare aiohttp"]
    print(f"copydesk to bare aiohttp: {ours / bare:.2f} of the pages a second, {ours_cpu / bare_cpu:.2f} a CPU second")


def main() -> None:
    given = [int(argument) for argument in sys.argv[1:]]
    pages, rounds = (*given, *DEFAULTS[len(given) :])
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
