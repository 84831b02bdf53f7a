"""Applies a batch of facts to the rows of its documents. Pure."""

from collections.abc import Iterable, Mapping

from runtime.ledger.batch import Noted
from runtime.ledger.row import Row


class Changes:
    """The rows of a batch's documents while facts are applied."""

    def __init__(self, stored: Iterable[Row], next_seq: int) -> None:
        self.next_seq = next_seq
        self.fresh: dict[int, Row] = {}
        self.changed: dict[int, Row] = {}
        self.verdicts: list[tuple[Row, Noted]] = []
        self.labels_before: dict[int, Mapping[str, str]] = {}
        self.repeats = self.differing = 0
        self._documents: dict[str, dict[int, Row]] = {}
        for row in stored:
            self._documents.setdefault(row.document_id, {})[row.run] = row
            self.labels_before[row.seq] = dict(row.labels)

    @property
    def decided(self) -> list[Row]:
        """The rows that this batch decided."""
        return [row for row, _ in self.verdicts]

    def learn(self, noted: Noted) -> None:
        """Applies a fact."""
        row = self._row(noted.fact.document_id, noted.fact.run)
        repeats, differing = row.repeats, row.differing
        if row.learn(noted.fact):
            row.size = len(noted.body)
            self.verdicts.append((row, noted))
        self.repeats += row.repeats - repeats
        self.differing += row.differing - differing
        self._mark(row)

    def _row(self, document_id: str, run: int) -> Row:
        document = self._documents.setdefault(document_id, {})
        if run not in document:
            document[run] = self.fresh[self.next_seq] = Row(seq=self.next_seq, document_id=document_id, run=run)
            self.next_seq += 1
            newest = max(document)
            for number, row in document.items():
                row.latest = number == newest
                self._mark(row)
        return document[run]

    def _mark(self, row: Row) -> None:
        if row.seq not in self.fresh:
            self.changed[row.seq] = row
