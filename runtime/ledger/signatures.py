"""The signatures of articles in the ledger: implements `contract.duplicates.SignatureIndex`."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import product, zip_longest
from typing import Any, Final

from sqlalchemy import BigInteger, Integer, Select, bindparam, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from contract.duplicates import LOWEST, Earlier, Signature, is_near
from runtime.ledger.batch import Noted
from runtime.ledger.database import translated
from runtime.ledger.facts import VerdictFact
from runtime.ledger.row import RunRow
from runtime.ledger.tables import BAND_NAMES, LOWEST_NAMES, runs, signatures

_SAME: Final = 100  # newest articles with the same content, URL or lowest hash; chosen: mostly there are one or two
_IN_BAND: Final = 500  # newest articles with the same band; chosen: a band of a million articles has 15 on average
_SIGN: Final = 1 << 63  # a BIGINT of 64 bits is signed


async def store(connection: AsyncConnection, verdicts: Iterable[tuple[RunRow, Noted]]) -> None:
    """Stores the signatures of the articles among `verdicts`."""
    columns = [
        columns_of(row.seq, noted.fact.signature, noted.fact.original)
        for row, noted in verdicts
        if isinstance(noted.fact, VerdictFact) and noted.fact.signature is not None
    ]
    if columns:
        await connection.execute(insert(signatures), columns)


def columns_of(seq: int, signature: Signature, original: str | None) -> dict[str, Any]:
    """Returns the columns of a row of `signatures`."""
    return {
        "seq": seq,
        "content": signature.content,
        "url": signature.url,
        "simhash": _signed(signature.simhash),
        **dict(zip(BAND_NAMES, signature.bands, strict=True)),
        **dict(zip_longest(LOWEST_NAMES, signature.lowest)),
        "sketch": signature.sketch,
        "original": original,
    }


class SqlSignatures:
    """Implements `contract.duplicates.SignatureIndex`. It only reads."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def like(self, signature: Signature, *, owner: str | None, since: datetime) -> Sequence[Earlier]:
        """Returns articles that may be the same; see `contract.duplicates.SignatureIndex`."""
        with translated():
            async with self._engine.connect() as connection:
                found = (await connection.execute(_CANDIDATES, _sought(signature))).all()
                seqs = {row.seq for row in found if row.same or is_near(_unsigned(row.simhash), signature.simhash)}
                if not seqs:
                    return ()
                rows = (await connection.execute(_details(sorted(seqs), owner, since))).mappings().all()
        return [_earlier(row) for row in rows]


def _sought(signature: Signature) -> dict[str, int | None]:
    """Returns the parameters of `_CANDIDATES`. What an article does not have is NULL, which equals nothing."""
    lowest = dict(zip_longest((f"low{number}" for number in range(LOWEST)), signature.lowest))
    return {
        "content": signature.content,
        "url": signature.url,
        **lowest,
        **dict(zip(BAND_NAMES, signature.bands, strict=True)),
    }


def _newest(column: str, parameter: str, most: int, *, same: int) -> str:
    """Returns the SELECT of the newest articles with this value in a column."""
    wanted = f"SELECT seq, simhash, {same} AS same FROM signatures WHERE {column} = :{parameter}"  # noqa: S608 - names and numbers of this module
    return f"SELECT * FROM ({wanted} ORDER BY seq DESC LIMIT {most}) AS {column}_{parameter}"  # noqa: S608 - as above


# As text, because SQLAlchemy takes 2 ms to build as large a statement, and this one never changes.
_CANDIDATES: Final = text(
    " UNION ALL ".join(
        [
            _newest("content", "content", _SAME, same=1),
            _newest("url", "url", _SAME, same=1),
            *(
                _newest(column, f"low{number}", _SAME, same=1)
                for column, number in product(LOWEST_NAMES, range(LOWEST))
            ),
            *(_newest(name, name, _IN_BAND, same=0) for name in BAND_NAMES),
        ]
    )
).bindparams(
    *(bindparam(name, type_=BigInteger) for name in ("content", "url", *(f"low{number}" for number in range(LOWEST)))),
    *(bindparam(name, type_=Integer) for name in BAND_NAMES),
)


def _details(seqs: Sequence[int], owner: str | None, since: datetime) -> Select[Any]:
    columns = (runs.c.document_id, runs.c.decided_ms, *signatures.c)
    wanted = select(*columns).join(runs, runs.c.seq == signatures.c.seq).where(signatures.c.seq.in_(seqs))
    return wanted.where(runs.c.owner.is_not_distinct_from(owner), runs.c.decided_ms >= since.timestamp() * 1000)


def _earlier(row: Any) -> Earlier:  # noqa: ANN401 - a row's columns by name
    signature = Signature(
        content=row["content"], url=row["url"], simhash=_unsigned(row["simhash"]), sketch=row["sketch"]
    )
    return Earlier(
        document_id=row["document_id"],
        decided_ms=row["decided_ms"],
        signature=signature,
        original=row["original"],
    )


def _signed(value: int) -> int:
    return value - 2 * _SIGN if value >= _SIGN else value


def _unsigned(value: int) -> int:
    return value % (2 * _SIGN)
