"""How much memory `copydesk serve` takes while one request of any length goes through it.

    python bench/intake_memory.py [--gigabytes 10] [--gzip]

One request with lines (NDJSON), pages of 283 kB and texts of 300 bytes, goes to one server on a private RabbitMQ. With
`--gzip` the lines are compressed; the gigabytes are those before compression. The queue is purged all the time, as if
workers emptied it. The lines of the output are the server's memory while the request goes on (resident set, from
proc(5)), at last its peak over the whole time. Needs Debian's rabbitmq-server.
"""

import argparse
import asyncio
import gzip
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import aio_pika
import orjson

from bench.intake import Server, chunk, in_pieces, pages, receipts, serve, texts
from contract.job import Lane
from contract.topology import lane_queue
from tests.rabbit_node import CORES, running_node

TEXTS_A_PAGE = 10  # chosen: most lines are short, most bytes are those of pages
LOOKS = 10  # at the memory, while the request goes on
PURGE_EVERY_S = 2.0  # chosen: some hundred MB come in this time, and the queue takes 2 GiB


def main() -> None:
    options = parsed()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_node(Path(folder), schedulers=CORES) as node,
        serve(node.url) as server,
    ):
        asyncio.run(measured(node.url, server, lines(), options))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=10.0)
    parser.add_argument("--gzip", action="store_true")
    return parser.parse_args()


def lines() -> bytes:
    """Returns some MB of lines, in an order that does not follow their sizes."""
    long = pages(None)
    documents = [*long, *texts()[: TEXTS_A_PAGE * len(long)]]
    Random(1).shuffle(documents)  # noqa: S311 - the same order each time
    return b"".join(orjson.dumps(document) + b"\n" for document in documents)


async def measured(url: str, server: Server, body: bytes, options: argparse.Namespace) -> None:
    before = held_bytes(server, "VmRSS")
    print(f"{'sent':>10} {'memory':>10}")
    print(f"{'nothing':>10} {before / 1e6:7.1f} MB")
    ended = asyncio.Event()
    purging = asyncio.create_task(purged(url, ended))
    began = time.perf_counter()
    rounds = max(1, round(options.gigabytes * 1e9 / len(body)))
    chunks = list(map(chunk, in_pieces(gzip.compress(body) if options.gzip else body)))
    stored = await sent(server, chunks, rounds, len(body), "gzip" if options.gzip else "identity")
    took_s = time.perf_counter() - began
    ended.set()
    await purging
    size, peak = rounds * len(body), held_bytes(server, "VmHWM")
    print(f"{stored:,} documents, {size / 1e9:.1f} GB in {took_s:,.0f} s, {size / took_s / 1e6:.1f} MB/s")
    print(f"peak {peak / 1e6:.1f} MB, {(peak - before) / 1e6:.1f} MB more than before")


async def sent(server: Server, chunks: Sequence[bytes], rounds: int, size: int, coding: str) -> int:
    """Sends `chunks`, which are `size` bytes when decoded, `rounds` times in one request. Returns the receipts."""
    target = urlsplit(server.api)
    reader, writer = await asyncio.open_connection(target.hostname, target.port)
    head = f"POST /v1/documents HTTP/1.1\r\nHost: {target.netloc}\r\nContent-Type: application/x-ndjson\r\n"
    writer.write(f"{head}Content-Encoding: {coding}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    counting = asyncio.create_task(receipts(reader))
    looks = {rounds * look // LOOKS for look in range(1, LOOKS + 1)}
    for number in range(1, rounds + 1):
        for piece in chunks:
            writer.write(piece)
            await writer.drain()
        if number in looks:
            print(f"{number * size / 1e9:7.2f} GB {held_bytes(server, 'VmRSS') / 1e6:7.1f} MB", flush=True)
    writer.write(b"0\r\n\r\n")
    done = await counting
    writer.close()
    return done


async def purged(url: str, ended: asyncio.Event) -> None:
    """Empties the queue again and again, until `ended`."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        queue = await channel.get_queue(lane_queue(Lane.BULK))
        while not ended.is_set():
            await queue.purge()
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), PURGE_EVERY_S)


def held_bytes(server: Server, name: str) -> int:
    """Returns the memory of the server's process: `VmRSS`, or the peak `VmHWM`."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(status.partition(f"{name}:")[2].split()[0]) * 1024


if __name__ == "__main__":
    main()
