"""Measures how often duplicates are recognised, and what a look at the ledger's index costs.

    python -m bench.duplicates pairs DATA [--versions FILE] [--every N]
    python -m bench.duplicates price [--articles 100000] [--looks 500]

`pairs` makes versions of the documents of DATA (see `bench.duplicate_pairs`), which takes minutes, and keeps them in
FILE. Two versions of one document are the same article, two documents are different ones. Pairs of these that are taken
for duplicates are listed: look whether they are the same article in two sets. Made-up pages with filler text are left
out.

`price` fills a ledger with random signatures, on SQLite and on a private PostgreSQL with its defaults, and looks up
near duplicates of known articles and articles that are none, one after the other. Needs Debian's postgresql.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.duplicate_pairs import Version, versions
from contract.duplicates import (
    LOWEST,
    MOST_BITS,
    NEAR,
    SKETCH_HASH_BYTES,
    SKETCH_HASHES,
    DuplicateOf,
    Earlier,
    Signature,
    compared,
    is_near,
    may_be_near,
    signature_of,
    similarity,
)
from runtime.ledger import schema
from runtime.ledger.database import ledger_url, open_engine
from runtime.ledger.row import RunRow
from runtime.ledger.signatures import SqlSignatures, columns_of
from runtime.ledger.tables import runs, signatures
from tests.postgres_cluster import PostgresCluster
from workers.normalise.fingerprint import content_sha256, shingles

SHOWN = 60  # characters of a text
FILLER = "lorem ipsum"  # pages with such a text are made up, and some have the same one
SHINGLES = 500  # of a text
BATCH = 5_000  # rows in one statement; chosen
NOW = datetime(2026, 11, 29, tzinfo=UTC)
OWNER = "newsroom"


@dataclass(frozen=True, slots=True)
class Signed:
    """A version with its signature."""

    version: Version
    signature: Signature


Pair = tuple[Signed, Signed]


def main() -> None:
    options = parsed()
    if options.task == "pairs":
        pairs(versions(options.data, options.versions, options.every))
    else:
        price(options.articles, options.looks)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tasks = parser.add_subparsers(dest="task", required=True)
    of_pairs = tasks.add_parser("pairs")
    of_pairs.add_argument("data", type=Path)
    of_pairs.add_argument("--versions", type=Path, default=Path("versions.jsonl"))
    of_pairs.add_argument("--every", type=int, default=1, help="take each N-th document")
    of_price = tasks.add_parser("price")
    of_price.add_argument("--articles", type=int, default=100_000)
    of_price.add_argument("--looks", type=int, default=500)
    return parser.parse_args()


def pairs(made: Sequence[Version]) -> None:
    """Prints what is found among pairs of the same article, and among pairs of different ones."""
    documents: dict[str, dict[str, Signed]] = defaultdict(dict)
    for version in made:
        if FILLER in version.text[:SHOWN].lower():
            continue
        documents[version.document][version.form] = Signed(version, _signature(version.text))
    print(f"{len(documents):,} documents, {len(made):,} versions\n")
    print("| the same article | pairs | similarity, median | found | of those with 0.8 | by SimHash alone |")
    print("| --- | --- | --- | --- | --- | --- |")
    same = _same(documents)
    for name, found in sorted(same.items()):
        _tell_same(name, found)
    right = _tell_same("all", [pair for found in same.values() for pair in found])
    print("\n| different articles | pairs | may be near | similar |\n| --- | --- | --- | --- |")
    of_different = list(_different(documents))
    wrong = sum(_tell_different(name, of_different) for name in ("one site", "two sites"))
    print(f"\nprecision {right}/{right + wrong} = {right / (right + wrong):.4f}")


def _signature(of: str) -> Signature:
    summary = shingles(of)
    signature = signature_of(
        content_sha256=content_sha256(of), simhash=summary.simhash, sketch=summary.sketch, canonical_url=None
    )
    assert signature is not None
    return signature


def _same(documents: dict[str, dict[str, Signed]]) -> dict[str, list[Pair]]:
    found: dict[str, list[Pair]] = defaultdict(list)
    for forms in documents.values():
        page = forms.get("page")
        for form, signed in forms.items():
            if page is not None and form != "page":
                found[f"page, {form.removeprefix('page, ').rstrip(' 12')}"].append((page, signed))
        frames = [signed for form, signed in forms.items() if form.startswith("other page")]
        found["two other pages"] += combinations(frames, 2)
    return found


def _tell_same(name: str, found: Sequence[Pair]) -> int:
    alike = [similarity(one.signature.sketch, other.signature.sketch) for one, other in found]
    hits = [_compared(one, other) is not None for one, other in found]
    within = [hit for hit, each in zip(hits, alike, strict=True) if each >= NEAR]
    near = [is_near(a.signature.simhash, b.signature.simhash) for a, b in found]
    alone = [hit for hit, each in zip(near, alike, strict=True) if each >= NEAR]
    median = statistics.median(alike or [0])
    print(
        f"| {name} | {len(found):,} | {median:.2f} | {_share(hits)} "
        f"| {_share(within)} of {len(within):,} | {_share(alone)} |"
    )
    return sum(hits)


def _share(hits: Sequence[bool]) -> str:
    return f"{sum(hits) / (len(hits) or 1):.1%}"


def _compared(one: Signed, other: Signed) -> DuplicateOf | None:
    return compared(one.signature, Earlier(document_id="", decided_ms=0, signature=other.signature))


def _different(documents: dict[str, dict[str, Signed]]) -> Iterator[Pair]:
    """Yields the pairs of different documents: their pages, or their true texts where no page was read."""
    texts = [signed for forms in documents.values() if (signed := forms.get("page") or forms.get("truth"))]
    return combinations(texts, 2)


def _tell_different(name: str, found: Sequence[Pair]) -> int:
    on_one = name == "one site"
    wanted = [(a, b) for a, b in found if (a.version.site == b.version.site and bool(a.version.site)) == on_one]
    near = [(a, b) for a, b in wanted if may_be_near(a.signature, b.signature)]
    hits = [pair for pair in near if _compared(*pair) is not None]
    print(f"| {name} | {len(wanted):,} | {len(near):,} | {len(hits)} |")
    for one, other in hits:
        alike = similarity(one.signature.sketch, other.signature.sketch)
        print(f"  {alike:.2f} {one.version.document} {other.version.document}: {one.version.text[:SHOWN]!r}")
    return len(hits)


def price(articles: int, looks: int) -> None:
    """Prints the size of an index of so many articles, and the seconds of a look."""
    with tempfile.TemporaryDirectory() as folder:
        cluster = PostgresCluster({"fsync": "on"})
        try:
            cluster.start()
            print(f"{articles:,} articles")
            print("| | bytes an article | look, median | 99 % | CPU of the worker | found |")
            print("| --- | --- | --- | --- | --- | --- |")
            for url in (f"sqlite:///{folder}/ledger.db", cluster.database()):
                asyncio.run(_priced(url, articles, looks))
        finally:
            cluster.close()


async def _priced(url: str, articles: int, looks: int) -> None:
    where = ledger_url(url)
    await schema.upgrade(where)
    writer = open_engine(where, writes=True)
    choice = random.Random(11)  # noqa: S311 - the same articles each time
    known = await _fill(writer, articles, choice, keep=looks)
    size = await _size(writer)
    await writer.dispose()
    reader = open_engine(where)
    index = SqlSignatures(reader)
    seconds, found, cpu = [], 0, time.process_time()
    for number, signature in enumerate(known):
        wanted = _near(signature, choice) if number % 2 else _random(choice)
        began = time.perf_counter()
        earlier = await index.like(wanted, owner=OWNER, since=NOW - timedelta(days=7))
        seconds.append(time.perf_counter() - began)
        found += any(compared(wanted, each) for each in earlier)
    cpu = (time.process_time() - cpu) / looks
    await reader.dispose()
    median, p99 = statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]
    cells = [where.get_backend_name(), f"{size / articles:.0f}"]
    cells += [f"{each * 1000:.1f} ms" for each in (median, p99, cpu)]
    print("|", " | ".join([*cells, f"{found} of {looks // 2}"]), "|")


async def _fill(engine: AsyncEngine, articles: int, choice: random.Random, *, keep: int) -> list[Signature]:
    known = []
    async with engine.begin() as connection:  # and made again at the end, which takes less time
        for index in signatures.indexes:
            await connection.run_sync(index.drop)
    for start in range(0, articles, BATCH):
        made = [_random(choice) for _ in range(min(BATCH, articles - start))]
        known += made[: max(1, keep * BATCH // articles + 1)]
        rows = [
            RunRow(
                seq=start + number,
                document_id=f"d{start + number}",
                run=1,
                owner=OWNER,
                decided_ms=round(NOW.timestamp() * 1000),
            ).columns()
            for number in range(len(made))
        ]
        async with engine.begin() as connection:
            await connection.execute(insert(runs), rows)
            columns = [columns_of(start + number, each, None) for number, each in enumerate(made)]
            await connection.execute(insert(signatures), columns)
    async with engine.begin() as connection:
        for index in signatures.indexes:
            await connection.run_sync(index.create)
        await connection.execute(text("ANALYZE"))
    return known[:keep]


async def _size(engine: AsyncEngine) -> int:
    """Returns the bytes of signatures and their indexes."""
    statements = {
        "postgresql": "SELECT pg_total_relation_size('signatures')",
        "sqlite": "SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'signatures%'",
    }
    async with engine.connect() as connection:
        return int((await connection.execute(text(statements[engine.dialect.name]))).scalar_one())


def _random(choice: random.Random) -> Signature:
    """Returns the signature of a text of 500 words; of its sketch only the two smallest hashes are in order."""
    first, second = sorted(choice.getrandbits(32) // SHINGLES for _ in range(LOWEST))
    rest = choice.randbytes((SKETCH_HASHES - LOWEST) * SKETCH_HASH_BYTES)
    return Signature(
        content=choice.getrandbits(63),
        url=choice.getrandbits(63),
        simhash=choice.getrandbits(64),
        sketch=first.to_bytes(SKETCH_HASH_BYTES) + second.to_bytes(SKETCH_HASH_BYTES) + rest,
    )


def _near(signature: Signature, choice: random.Random) -> Signature:
    """Returns the signature of another text and URL, as far as a near duplicate may be."""
    flipped = sum(1 << bit for bit in choice.sample(range(64), MOST_BITS))
    return replace(
        signature, content=choice.getrandbits(63), url=choice.getrandbits(63), simhash=signature.simhash ^ flipped
    )


if __name__ == "__main__":
    main()
