"""Measures how many bytes a document takes in the log, the record of acceptances, the ledger and a backup.

    python -m bench.sizes [--documents 1000] [--words 500]

Posts articles made of the sentences of seeds/ to `serve`, `work` and `record` on a private RabbitMQ and a private
PostgreSQL, and to `copydesk up`. Sizes are read from the disk before and after.
"""

import argparse
import asyncio
import json
import random
import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import aiohttp
import asyncpg

from tests.postgres_cluster import running_postgres
from tests.rabbit_node import running_node
from tests.system.ledger_stacks import Stack, embedded, look_up, posted, replicas, until

SEEDS = Path(__file__).parents[1] / "seeds"
AT_ONCE = 8  # requests; chosen: keeps two cores busy

Sizes = dict[str, int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1_000)
    parser.add_argument("--words", type=int, default=500)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_node(Path(folder)) as node,
        running_postgres() as cluster,
        replicas(node, cluster, workers=1) as stack,
    ):
        show("RabbitMQ, PostgreSQL", stack, lambda: on_servers(Path(folder), stack.ledger_url), options)
    with tempfile.TemporaryDirectory() as folder, embedded(Path(folder)) as stack:
        show("copydesk up", stack, lambda: on_one_machine(Path(folder)), options)


def show(name: str, stack: Stack, sizes: Callable[[], Sizes], options: argparse.Namespace) -> None:
    """Prints what each document added, after some that make files and indexes begin to grow evenly."""
    articles = articles_of(options.words)
    asyncio.run(post_all(stack.api, [next(articles) for _ in range(options.documents // 4)]))
    before = sizes()
    texts = [next(articles) for _ in range(options.documents)]
    asyncio.run(post_all(stack.api, texts))
    print(f"{name}: {options.documents} texts of {sum(map(len, map(str.encode, texts))) // len(texts):,} bytes")
    for what, size in sizes().items():
        print(f"  {what:32} {(size - before[what]) / options.documents:10,.0f} bytes a document", flush=True)


def articles_of(words: int) -> Iterator[str]:
    """Yields articles of so many words, each of other sentences."""
    texts = [json.loads(path.read_text())["text"] for path in sorted(SEEDS.glob("*-en.expected.json"))]
    sentences = [it for text in texts for it in re.split(r"(?<=[.!?])\s+", text) if len(it.split()) > 3]
    chosen = random.Random(1)  # noqa: S311 - the same articles each time
    while True:
        article: list[str] = []
        while sum(len(sentence.split()) for sentence in article) < words:
            article.append(f"{chosen.choice(sentences)} {chosen.randrange(10**6)}")
        yield "\n\n".join(article)


async def post_all(api: str, texts: list[str]) -> None:
    """Returns when all are recorded as decided."""
    waiting, ids = iter(texts), list[str]()
    async with aiohttp.ClientSession() as http:

        async def post() -> None:
            for text in waiting:
                receipt = await posted(http, api, {"text": text})
                ids.append((await receipt.json())["id"])

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(post())

        async def are_decided() -> bool:
            while ids and (await look_up(http, api, ids[-1]))[1].get("state") == "processed":
                ids.pop()
            return not ids

        await until(are_decided, seconds=600)


def on_servers(folder: Path, ledger_url: str) -> Sizes:
    streams = {name: size_of(folder, f"*{name}*/*.segment") for name in ("copydesk_log", "copydesk_accepted")}
    return streams | {"PostgreSQL": asyncio.run(database_size(ledger_url))}


def on_one_machine(folder: Path) -> Sizes:
    return {name: used_bytes(folder / name) for name in ("copydesk.db", "ledger.db")}


def used_bytes(file: Path) -> int:
    """Returns the size of the pages that hold something: others are used again."""
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
        pages, free, size = (
            int(database.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
    return (pages - free) * size


def size_of(folder: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in folder.rglob(pattern) if path.is_file())


async def database_size(url: str) -> int:
    database = await asyncpg.connect(url)
    size: int = await database.fetchval("SELECT pg_database_size(current_database())")
    await database.close()
    return size


if __name__ == "__main__":
    main()
