"""How fast documents are accepted, beside a bare loop that publishes the same bytes and waits for the confirm.

    python bench/intake.py [--pages FOLDER] [--seconds 5] [--connections 64]

The bare loop is what a program would do without Copydesk: aio-pika, one process, as many tasks as the server has
connections, each message persistent and confirmed by a quorum queue. All sides get the same documents: texts of 300
bytes, and pages with a mean of 283 kB (the files of `--pages`, or made from the seeds). Three sides send all of them in
one request on one connection: as lines (NDJSON), without and with an `Idempotency-Key`, and as files of a form. They
take turns on one private RabbitMQ (one node, fsync), three rounds each, and the median counts. Load generator, broker
and servers share the machine, so beside each rate stands what a document takes of a core in the process that takes it,
which is all that a machine with more cores has to spare for it. Needs Debian's rabbitmq-server.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import count, cycle
from pathlib import Path
from random import Random
from typing import cast
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen
from uuid import uuid4

import aio_pika
import orjson

from contract.codec import encode
from contract.ids import new_document_id
from contract.job import Lane
from contract.submission import parse_submission, to_job
from contract.topology import lane_queue
from tests.rabbit_node import CORES, running_node
from tests.system.processes import running

SEEDS = Path(__file__).parents[1] / "seeds"
TEXT_BYTES = 300  # characters: a short notice
PAGE_BYTES = 283_000  # the mean of the news pages that extraction is measured on
PAGES = 50  # different ones: 15 MB, which are made in a moment
ROUNDS = 3  # whose median counts
QUEUE = "bare"
BARE = "bare publish"
RECEIPT = b'"status":202}'

SIDES: Mapping[str, Sequence[str]] = {"serve": (), "serve, 2 processes": ("--processes", "2")}

NDJSON = "lines in one request"
KEYED = "lines with a key"
FORM = "files in one request"
PIECE_BYTES = 64 * 1024  # of lines that are sent together

Post = Callable[[bytes], Awaitable[None]]
Run = Callable[[Sequence[bytes]], Awaitable[tuple[int, float]]]
Side = AbstractAsyncContextManager[Post]


@dataclass(frozen=True, slots=True)
class Load:
    """Documents of one kind: as they are posted, and as the jobs that they become."""

    name: str
    bodies: Sequence[bytes]
    jobs: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Server:
    """A running `copydesk serve`: the address of its API, and its process, which may have children."""

    api: str
    pid: int

    def cpu_s(self) -> float:
        """Returns the CPU time that its processes have used so far."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return sum(map(used_s, (self.pid, *map(int, children))))


def used_s(pid: int) -> float:
    """Returns the CPU time that a process has used so far, from proc(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Measured:
    """The rounds of one side: documents a second, and CPU seconds of a document."""

    rates: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)


def main() -> None:
    options = parsed()
    loads = [load("texts", texts()), load("pages", pages(options.pages))]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        node = stack.enter_context(running_node(Path(folder), schedulers=CORES))
        servers = {name: stack.enter_context(serve(node.url, *arguments)) for name, arguments in SIDES.items()}
        asyncio.run(compared(node.url, servers, loads, options))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=Path, help="folder of .html files")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each round")
    parser.add_argument("--connections", type=int, default=64)
    return parser.parse_args()


def load(name: str, documents: Sequence[dict[str, str]]) -> Load:
    bodies = [orjson.dumps(document) for document in documents]
    now = datetime.now(UTC)
    jobs = [
        encode(to_job(parse_submission(body).submission, id=new_document_id(), lane=Lane.INTERACTIVE, accepted_at=now))
        for body in bodies
    ]
    return Load(name, bodies, jobs)


def texts() -> list[dict[str, str]]:
    words = " ".join(file.read_text() for file in sorted(SEEDS.glob("*.txt"))).split()
    rng = Random(1)  # noqa: S311 - the same documents each time
    return [{"text": " ".join(rng.choices(words, k=80))[:TEXT_BYTES]} for _ in range(1000)]


def pages(folder: Path | None) -> list[dict[str, str]]:
    """Returns the pages of `folder`, or seeds whose bodies are repeated until the mean size is `PAGE_BYTES`."""
    if folder is not None:
        files = sorted(folder.glob("*.html"))
        return [{"html": file.read_text(errors="replace"), "url": f"https://example.com/{file.stem}"} for file in files]
    seeds = [file.read_text() for file in sorted(SEEDS.glob("*.html"))]
    rng = Random(1)  # noqa: S311 - the same documents each time
    sizes = [rng.uniform(0.2, 1.8) * PAGE_BYTES for _ in range(PAGES)]
    return [
        {"html": page * max(1, round(size / len(page))), "url": f"https://example.com/{number}"}
        for number, (size, page) in enumerate(zip(sizes, cycle(seeds), strict=False))
    ]


@contextmanager
def serve(url: str, *arguments: str) -> Iterator[Server]:
    settings = {"COPYDESK_AMQP_URL": url, "COPYDESK_PUBLISH_TIMEOUT_S": "60"}  # a slow disk is to show as a low rate
    with running("serve", "--port", "0", "--ops-port", "0", *arguments, settings=settings) as process:
        urls = process.wait_for_urls("api", "ops")
        while not is_ready(urls["ops"]):
            time.sleep(0.1)
        yield Server(urls["api"], process.pid)


def is_ready(ops: str) -> bool:
    try:
        with urlopen(f"{ops}/readyz"):  # noqa: S310 - the address of our own process
            return True
    except HTTPError:
        return False


async def compared(url: str, servers: dict[str, Server], loads: Sequence[Load], options: argparse.Namespace) -> None:
    sides: dict[str, tuple[Run, Callable[[], float]]] = {}
    sides[BARE] = (partial(one_by_one, partial(bare, url), options), time.process_time)
    for name, server in servers.items():
        sides[name] = (partial(one_by_one, partial(posts, server.api, options.connections), options), server.cpu_s)
    first = servers[next(iter(SIDES))]
    stream = partial(streamed, first.api, options.seconds)
    sides[NDJSON] = (partial(stream, "application/x-ndjson", lines), first.cpu_s)
    sides[KEYED] = (partial(stream, "application/x-ndjson", lines, with_key=True), first.cpu_s)
    sides[FORM] = (partial(stream, "multipart/form-data; boundary=cut", parts), first.cpu_s)
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        queues = [await channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})]
        queues += [await channel.get_queue(lane_queue(lane)) for lane in Lane]
        for each in loads:
            measured = {name: Measured() for name in sides}
            for _ in range(ROUNDS):
                for name, (run, used_s) in sides.items():
                    began_s = used_s()
                    done, took_s = await run(each.jobs if name == BARE else each.bodies)
                    measured[name].rates.append(done / took_s)
                    measured[name].cpu_s.append((used_s() - began_s) / done)
                    for queue in queues:
                        await queue.purge()
            show(each, measured)


async def one_by_one(
    side: Callable[[], Side], options: argparse.Namespace, documents: Sequence[bytes]
) -> tuple[int, float]:
    """Returns how many documents `side` accepted, each in a call of its own, and in how many seconds."""
    done = 0
    async with side() as post, asyncio.TaskGroup() as group:
        began = time.perf_counter()
        end = began + options.seconds
        turns = count()

        async def one() -> None:
            nonlocal done
            while time.perf_counter() < end:
                await post(documents[next(turns) % len(documents)])
                done += 1

        for _ in range(options.connections):
            group.create_task(one())
    return done, time.perf_counter() - began


@asynccontextmanager
async def bare(url: str) -> AsyncIterator[Post]:
    """Publishes on one channel."""
    async with await aio_pika.connect(url) as connection:
        exchange = (await connection.channel()).default_exchange

        async def post(job: bytes) -> None:
            message = aio_pika.Message(job, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
            await exchange.publish(message, QUEUE)

        yield post


@asynccontextmanager
async def posts(api: str, connections: int) -> AsyncIterator[Post]:
    """Posts over kept connections, with as little work for each request as possible: the load shares the cores."""
    target = urlsplit(api)
    host, port = str(target.hostname), int(target.port or 0)
    loop = asyncio.get_running_loop()
    opened = [await loop.create_connection(Client, host, port) for _ in range(connections)]
    free = [client for _, client in opened]
    head = f"POST /v1/documents HTTP/1.1\r\nHost: {target.netloc}\r\nContent-Type: application/json\r\n"

    async def post(body: bytes) -> None:
        client = free.pop()
        answer = await client.ask(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert answer.startswith(b"HTTP/1.1 202 "), answer
        free.append(client)

    yield post
    for transport, _ in opened:
        transport.close()


async def streamed(  # noqa: PLR0913 - a request has many parts
    api: str,
    seconds: float,
    media_type: str,
    form: Callable[[bytes], bytes],
    documents: Sequence[bytes],
    *,
    with_key: bool = False,
) -> tuple[int, float]:
    """Returns how many documents were accepted, each in its `form` in one request, and in how many seconds."""
    target = urlsplit(api)
    pieces = list(map(chunk, in_pieces(b"".join(map(form, documents)))))
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection(target.hostname, target.port)
    head = f"POST /v1/documents HTTP/1.1\r\nHost: {target.netloc}\r\nContent-Type: {media_type}\r\n"
    head += f"Idempotency-Key: {uuid4()}\r\n" if with_key else ""
    writer.write(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
    counting = asyncio.create_task(receipts(reader))
    for piece in cycle(pieces):
        writer.write(piece)
        await writer.drain()
        if time.perf_counter() > began + seconds:
            break
    writer.write(b"0\r\n\r\n")
    done = await counting
    writer.close()
    return done, time.perf_counter() - began


def lines(body: bytes) -> bytes:
    return body + b"\n"


def parts(body: bytes) -> bytes:
    """Returns the part of a form that holds the text or the page of a JSON body."""
    document = orjson.loads(body)
    name, text = ("a.html", document["html"]) if "html" in document else ("a.txt", document["text"])
    head = f'--cut\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return head.encode() + str(text).encode() + b"\r\n"


def in_pieces(body: bytes) -> Iterator[bytes]:
    return (body[begin : begin + PIECE_BYTES] for begin in range(0, len(body), PIECE_BYTES))


def chunk(piece: bytes) -> bytes:
    return f"{len(piece):x}\r\n".encode() + piece + b"\r\n"


async def receipts(reader: asyncio.StreamReader) -> int:
    """Returns how many lines of the answer are receipts."""
    found, end = 0, b""
    while not end.endswith(b"\r\n0\r\n\r\n"):
        got = await reader.read(2**20)
        assert got, "the answer broke off"
        found += (end + got).count(RECEIPT) - end.count(RECEIPT)
        end = (end + got)[-len(RECEIPT) :]
    return found


class Client(asyncio.Protocol):
    """One connection, with one request at a time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    async def ask(self, request: bytes) -> bytes:
        """Returns the answer, head and body."""
        self._answer, self._done = b"", asyncio.get_running_loop().create_future()
        self._transport.write(request)
        answer: bytes = await self._done
        return answer

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, _, body = self._answer.partition(b"\r\n\r\n")
        if len(body) == int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0] or -1):
            self._done.set_result(self._answer)


def show(load: Load, measured: dict[str, Measured]) -> None:
    size = statistics.mean(map(len, load.bodies))
    print(f"{load.name}, {size:,.0f} bytes on average")
    bare_rate = statistics.median(measured[BARE].rates)
    for name, each in measured.items():
        rate = statistics.median(each.rates)
        spread = f"{min(each.rates):,.0f} to {max(each.rates):,.0f}"
        print(
            f"  {name:20} {rate:8,.0f}/s  {rate * size / 1e6:6.1f} MB/s  {rate / bare_rate:5.2f} of bare"
            f"  {statistics.median(each.cpu_s) * 1000:6.3f} ms CPU  ({spread})"
        )


if __name__ == "__main__":
    main()
