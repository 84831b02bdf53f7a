"""The full-text index: what each database is told. The words, and the language of queries, are `contract.search`'s."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import TextClause, text

from contract.search import Term

# In SQLite the rowid is `seq`. Its index holds no text: a row is taken out by the words that it was put in with.
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
    """Returns the statement that puts `:words`, from `indexed`, in under `:seq`."""
    return text(_INSERT[dialect])


def delete(dialect: str) -> TextClause:
    """Returns the statement that takes `:words` out again, which must be those that were put in."""
    return text(_DELETE[dialect])


def clear(dialect: str) -> str:
    """Returns the statement that empties the index."""
    return _CLEAR[dialect]


def tend(dialect: str) -> TextClause | None:
    """Returns the statement that keeps the index quick, to be run every few seconds; None where there is none.

    PostgreSQL collects new words in a list and sorts them into the index when that is long, in the transaction that
    happens to add to it: 2 ms for each event. A list of 64 MB that is sorted in beside the transactions costs 0.3 ms.
    """
    return text("SELECT gin_clean_pending_list('words_words')") if dialect == "postgresql" else None


def leaves_words(dialect: str) -> bool:
    """Tells whether the index still holds words of a row that was taken out, until it is merged.

    FTS5 marks them as deleted. Its option `secure-delete` needs SQLite 3.42. PostgreSQL's vacuum runs by itself.
    """
    return dialect == "sqlite"


def indexed(dialect: str, words: Sequence[str]) -> str:
    """Returns `words` as the index takes them."""
    if dialect == "sqlite":
        return " ".join(words)
    return " ".join([f"'{word}':{place}" for place, word in enumerate(words, start=1)])


def match(dialect: str, terms: Sequence[Term]) -> TextClause:
    """Returns the condition on `runs` that `terms`, at least one not excluded, ask for."""
    query = _fts5(terms) if dialect == "sqlite" else _tsquery(terms)
    return text(_MATCH[dialect]).bindparams(query=query)


def _fts5(terms: Sequence[Term]) -> str:
    wanted = " AND ".join(f'"{" ".join(term.words)}"' for term in terms if not term.excluded)
    return f"({wanted})" + "".join(f' NOT "{" ".join(term.words)}"' for term in terms if term.excluded)


def _tsquery(terms: Sequence[Term]) -> str:
    return " & ".join(
        ("!" if term.excluded else "") + "(" + " <-> ".join(f"'{word}'" for word in term.words) + ")" for term in terms
    )
