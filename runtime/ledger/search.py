"""The SQL of the full-text index for each database. `contract.search` defines words and queries."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import TextClause, text

from contract.search import Term

# In SQLite the rowid is `seq`. Its index holds no text: to delete a row, SQLite needs the words that were inserted.
_INSERT: Final = {
    "sqlite": "INSERT INTO words (rowid, text) VALUES (:seq, :words)",
    "postgresql": "INSERT INTO words (seq, words) VALUES (:seq, CAST(:words AS tsvector))",
}
_DELETE: Final = {
    "sqlite": "INSERT INTO words (words, rowid, text) VALUES ('delete', :seq, :words)",
    "postgresql": "DELETE FROM words WHERE seq = :seq",
}
_CLEAR: Final = {"sqlite": "INSERT INTO words (words) VALUES ('delete-all')", "postgresql": "DELETE FROM words"}
_MATCH: Final = {
    "sqlite": "runs.seq IN (SELECT rowid FROM words WHERE words MATCH :query)",
    "postgresql": "runs.seq IN (SELECT words.seq FROM words WHERE words.words @@ CAST(:query AS tsquery))",
}


def insert(dialect: str) -> TextClause:
    """Returns the statement that inserts `:words`, made by `indexed`, as row `:seq`."""
    return text(_INSERT[dialect])


def delete(dialect: str) -> TextClause:
    """Returns the statement that deletes row `:seq`; `:words` must be those that were inserted."""
    return text(_DELETE[dialect])


def clear(dialect: str) -> str:
    """Returns the statement that empties the index."""
    return _CLEAR[dialect]


def maintenance(dialect: str) -> TextClause | None:
    """Returns the statement that keeps the index fast, to be run every few seconds, or None if none is needed.

    PostgreSQL collects new words in a list. When it is long, the transaction that adds to it sorts it into the index,
    which costs 2 ms for each event (measured). Sorting a list of 64 MB in another transaction costs 0.3 ms.
    """
    return text("SELECT gin_clean_pending_list('words_words')") if dialect == "postgresql" else None


def leaves_words(dialect: str) -> bool:
    """Returns True if the index keeps words of a deleted row until it is merged.

    FTS5 marks them as deleted. Its option `secure-delete` needs SQLite 3.42. PostgreSQL's vacuum runs by itself.
    """
    return dialect == "sqlite"


def indexed(dialect: str, words: Sequence[str]) -> str:
    """Returns `words` in the form that the index stores."""
    if dialect == "sqlite":
        return " ".join(words)
    return " ".join([f"'{word}':{place}" for place, word in enumerate(words, start=1)])


def match(dialect: str, terms: Sequence[Term]) -> TextClause:
    """Returns the condition on `runs` for `terms`, of which at least one is not excluded."""
    query = _fts5(terms) if dialect == "sqlite" else _tsquery(terms)
    return text(_MATCH[dialect]).bindparams(query=query)


def _fts5(terms: Sequence[Term]) -> str:
    wanted = " AND ".join(f'"{" ".join(term.words)}"' for term in terms if not term.excluded)
    return f"({wanted})" + "".join(f' NOT "{" ".join(term.words)}"' for term in terms if term.excluded)


def _tsquery(terms: Sequence[Term]) -> str:
    return " & ".join(
        ("!" if term.excluded else "") + "(" + " <-> ".join(f"'{word}'" for word in term.words) + ")" for term in terms
    )
