"""Measures how fast the ledger records, on SQLite and PostgreSQL, and how fast it answers afterwards.

    python bench/ledger.py [--documents 20000] [--rabbit] [--without-signatures]

Each document is accepted and decided: one entry in `copydesk.accepted` for 20 documents, as intake writes under load,
and an event each in `copydesk.log`. An event has an article of about 500 words, composed of paragraphs of the seeds,
with a unique word, and a signature, by which duplicates are found. The records are in memory, or with --rabbit on a
private RabbitMQ; the recorder is that of `copydesk record`, alone in this process. PostgreSQL is a private cluster with
its defaults, fsync included. Needs Debian's postgresql (and rabbitmq-server).
"""

import argparse
import asyncio
import gc
import os
import random
import resource
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aio_pika
import orjson
from prometheus_client import CollectorRegistry

from contract.accepted import acceptance
from contract.broker import LogEntry
from contract.codec import encode
from contract.events import Announcement, ProcessedEvent
from contract.job import Job
from contract.ledger import DocumentFilter
from contract.metrics import Metrics
from contract.search import parse_query
from contract.streams import Stream
from contract.topology import exchange_to
from runtime.brokers.rabbit import RabbitBroker
from runtime.brokers.rabbit.messages import acceptance_message, event_message
from runtime.ledger import schema, search
from runtime.ledger.database import ledger_url, open_engine
from runtime.ledger.queries import SqlLedger
from runtime.ledger.recorder import RecordedBroker, Recorder, RecorderLimits
from tests.brokers import samples
from tests.postgres_cluster import PostgresCluster
from tests.rabbit_node import CORES, RabbitNode
from workers.normalise.fingerprint import content_sha256, shingles

SEEDS = Path(__file__).parents[1] / "seeds"
WORDS = 500  # words of an article; chosen: an event of 8 kB
ACCEPTED_AT_ONCE = 20  # acceptances in one entry; chosen
BATCH = 256  # what RabbitMQ delivers ahead
LOOKS = 300  # repeats of each query; chosen for a stable median


def main() -> None:
    options = parsed()
    documents = documents_of(options.documents, signed=not options.without_signatures)
    gc.freeze()  # the documents of this program are nothing that a recorder would hold
    size = statistics.mean(len(encode(event)) for _, event in documents[:500])
    print(f"{len(documents):,} documents, events of {size:,.0f} bytes")
    with tempfile.TemporaryDirectory() as folder:
        cluster = PostgresCluster({"fsync": "on"})
        node = RabbitNode(Path(folder) / "rabbit", schedulers=CORES)
        try:
            cluster.start()
            if options.rabbit:
                (Path(folder) / "rabbit").mkdir()
                node.start()
                asyncio.run(published(node.url, documents))
            for _ in range(options.rounds):
                rabbit = node.url if options.rabbit else None
                asyncio.run(measured(f"sqlite:///{tempfile.mkdtemp(dir=folder)}/ledger.db", documents, rabbit, None))
                asyncio.run(measured(cluster.database(), documents, rabbit, cluster.pid))
        finally:
            node.close()
            cluster.close()


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rabbit", action="store_true", help="read from a private RabbitMQ")
    parser.add_argument("--without-signatures", action="store_true", help="articles have nothing to be compared by")
    return parser.parse_args()


Documents = list[tuple[Job, ProcessedEvent]]


def documents_of(count: int, *, signed: bool = True) -> Documents:
    """Returns jobs and their events; at each call the same, except for their ids."""
    choice = random.Random(12)  # noqa: S311 - the same documents each time
    texts = [orjson.loads(path.read_bytes())["text"] for path in sorted(SEEDS.glob("*.expected.json"))]
    paragraphs = [paragraph for text in texts for paragraph in text.split("\n\n")]
    return [_document(number, choice, paragraphs, signed=signed) for number in range(count)]


def _document(
    number: int, choice: random.Random, paragraphs: Sequence[str], *, signed: bool
) -> tuple[Job, ProcessedEvent]:
    text = ""
    while text.count(" ") < WORDS:
        text += choice.choice(paragraphs) + "\n\n"
    job = replace(
        samples.job(content=f"{text}edition{number}"), labels={"desk": "foreign", "edition": str(number % 50)}
    )
    event = samples.processed(job, host=f"www.site{number % 700}.example")
    article = replace(event.data, title=text[:60], published=f"2026-{number % 12 + 1:02}-10")
    if signed:
        content, summary = job.content or "", shingles(text)
        url = f"https://{article.host}/{number}"
        article = replace(article, content_sha256=content_sha256(content), canonical_url=url)
        article = replace(article, simhash=summary.simhash, sketch=summary.sketch)
    return job, replace(event, data=article)


class MemoryStreams:
    """The records, all there from the beginning."""

    def __init__(self, documents: Documents) -> None:
        now = datetime.now(UTC) - timedelta(hours=1)
        records = [acceptance(job, now) for job, _ in documents]
        groups = [records[at : at + ACCEPTED_AT_ONCE] for at in range(0, len(records), ACCEPTED_AT_ONCE)]
        self._entries = {
            Stream.ACCEPTED: [LogEntry(number, "", encode(group)) for number, group in enumerate(groups)],
            Stream.LOG: [LogEntry(number, "", encode(event)) for number, (_, event) in enumerate(documents)],
            Stream.ATTEMPTS: [],
            Stream.REQUESTS: [],
        }

    async def follow(self, stream: Stream, after: int) -> AsyncGenerator[Sequence[LogEntry], None]:
        entries = self._entries[stream]
        for at in range(after + 1, len(entries), BATCH):
            yield entries[at : at + BATCH]
        while True:
            yield []
            await asyncio.sleep(0.2)

    async def read(self, after: int | None = None) -> AsyncGenerator[LogEntry, None]:
        entries = self._entries[Stream.LOG]
        for entry in entries[len(entries) if after is None else after + 1 :]:
            yield entry

    async def log_bounds(self) -> tuple[int, int]:
        return 0, len(self._entries[Stream.LOG]) - 1

    async def announce(self, event: Announcement) -> None:
        raise AssertionError(f"no document is of a batch: {event.id}")


async def published(url: str, documents: Documents) -> None:
    """Puts the records on RabbitMQ, with one channel for all."""
    now = datetime.now(UTC)
    async with RabbitBroker(url, metrics=Metrics(CollectorRegistry())) as broker:
        await broker.log_bounds()  # declares
    connection = await aio_pika.connect(url)
    async with connection, connection.channel() as channel:
        log = await channel.get_exchange(exchange_to(Stream.LOG))
        accepted = await channel.get_exchange(exchange_to(Stream.ACCEPTED))
        for at in range(0, len(documents), ACCEPTED_AT_ONCE):
            part = documents[at : at + ACCEPTED_AT_ONCE]
            records = acceptance_message([acceptance(job, now) for job, _ in part])
            await accepted.publish(records, "")
            await asyncio.gather(*(log.publish(event_message(event), event.routing_key) for _, event in part))


@asynccontextmanager
async def source(documents: Documents, rabbit: str | None) -> AsyncIterator[RecordedBroker]:
    if rabbit is None:
        yield MemoryStreams(documents)
    else:
        async with RabbitBroker(rabbit, metrics=Metrics(CollectorRegistry())) as broker:
            yield broker


async def measured(url: str, documents: Documents, rabbit: str | None, server: int | None) -> None:
    """Prints the results of one database. `server` is the process of PostgreSQL."""
    where = ledger_url(url)
    await schema.upgrade(where)
    engine, metrics, stop = open_engine(where, writes=True), Metrics(CollectorRegistry()), asyncio.Event()
    began, cpu, database = time.perf_counter(), _cpu(), _cpu_of(server)
    async with source(documents, rabbit) as streams, asyncio.TaskGroup() as group:
        recorder = Recorder(streams, engine, metrics=metrics, limits=RecorderLimits())
        running = group.create_task(recorder.run(stop))
        recorded = metrics.ledger_entries.labels(Stream.LOG)
        while recorded._value.get() < len(documents):  # noqa: ASYNC110, SLF001 - a counter sends no signal
            await asyncio.sleep(0.02)
        seconds, cpu, database = time.perf_counter() - began, _cpu() - cpu, _cpu_of(server) - database
        stop.set()
        await running
    if (statement := search.maintenance(engine.dialect.name)) is not None:  # as the recorder does every few seconds
        async with engine.begin() as connection:
            await connection.execute(statement)
    await engine.dispose()
    reader = open_engine(where)
    each = 1000 / len(documents)
    print(f"{where.get_backend_name():11} {len(documents) / seconds:6,.0f} events/s", end="")
    print(f"  CPU ms an event: recorder {cpu * each:.2f}, database {database * each:.2f}")
    for name, milliseconds in (await looked(SqlLedger(reader), documents)).items():
        print(f"            {name} {milliseconds:.1f} ms")
    await reader.dispose()


def _cpu_of(process: int | None) -> float:
    """Returns the CPU seconds of a process and its children, those that have ended included."""
    if process is None:
        return 0.0
    children = [
        int(child) for path in Path(f"/proc/{process}/task").glob("*/children") for child in path.read_text().split()
    ]
    return sum(_ticks(each) for each in (process, *children)) / os.sysconf("SC_CLK_TCK")


def _ticks(process: int) -> int:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    return sum(map(int, fields[11:15]))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def looked(ledger: SqlLedger, documents: Documents) -> dict[str, float]:
    """Returns the median milliseconds of each kind of query."""
    choice = random.Random(7)  # noqa: S311 - the same questions each time

    def event() -> Awaitable[object]:
        job, _ = choice.choice(documents)
        return ledger.event(job.id, 1)

    questions: dict[str, Callable[[], Awaitable[object]]] = {
        "one": lambda: ledger.runs(choice.choice(documents)[0].id),
        "event": event,
        "newest 50": lambda: ledger.page(DocumentFilter(), limit=50, after=None),
        "label": lambda: ledger.page(DocumentFilter(labels={"edition": "7"}), limit=50, after=None),
        "rare word": lambda: ledger.page(
            DocumentFilter(terms=parse_query(f"edition{choice.randrange(len(documents))}")), limit=50, after=None
        ),
        "phrase": lambda: ledger.page(DocumentFilter(terms=parse_query('"four feet a year"')), limit=50, after=None),
    }
    return {name: await _median_ms(question) for name, question in questions.items()}


async def _median_ms(question: Callable[[], Awaitable[object]]) -> float:
    times = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        await question()
        times.append(time.perf_counter() - began)
        if sum(times) > 5:
            break
    return statistics.median(times) * 1000


if __name__ == "__main__":
    main()
