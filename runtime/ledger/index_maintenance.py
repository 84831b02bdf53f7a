"""Maintains the full-text index, outside the transactions that add to it."""

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from runtime.ledger import search
from runtime.ledger.database import translated
from runtime.ledger.tables import erased

_PAGES_AT_ONCE = 500  # of SQLite's index, in one transaction; chosen: it delays the recorder by some 30 ms
_NOTHING_DONE = 2  # changes; FTS5, "the merge command": fewer mean that nothing is left to merge


async def maintain_index(engine: AsyncEngine) -> None:
    """Does the maintenance that is due. Call it every few seconds.

    PostgreSQL sorts new words into its index. SQLite merges its index if words of erased documents may be left in it:
    a deleted word stays on the disk until then.

    Raises:
        LedgerUnavailable: the database failed.
    """
    with translated():
        if (statement := search.maintenance(engine.dialect.name)) is not None:
            async with engine.begin() as connection:
                await connection.execute(statement)
        if search.leaves_words(engine.dialect.name):
            await _merge(engine)


async def _merge(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        left = (await connection.execute(select(erased.c.document_id).where(erased.c.words_left))).scalars().all()
    pages = -_PAGES_AT_ONCE  # below 0: all of the index is merged into one, which the next calls go on with
    while left and await _merged(engine, pages) >= _NOTHING_DONE:
        pages = _PAGES_AT_ONCE
    if left:
        async with engine.begin() as connection:
            await connection.execute(update(erased).where(erased.c.document_id.in_(left)).values(words_left=False))


async def _merged(engine: AsyncEngine, pages: int) -> int:
    """Merges up to so many pages; returns the number of changes."""
    async with engine.begin() as connection:
        before = (await connection.execute(text("SELECT total_changes()"))).scalar_one()
        await connection.execute(text("INSERT INTO words (words, rank) VALUES ('merge', :pages)"), {"pages": pages})
        after = (await connection.execute(text("SELECT total_changes()"))).scalar_one()
    return int(after - before)
