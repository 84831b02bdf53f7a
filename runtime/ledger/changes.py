"""Applies a batch of facts to the rows of its documents. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runtime.ledger.batch import Noted
from runtime.ledger.document_batches import ERASED, FIRST_RUN, BatchRow
from runtime.ledger.facts import AcceptedFact, ClosedFact, CompletedFact, ErasedFact
from runtime.ledger.row import RunRow


@dataclass(slots=True, kw_only=True)
class ErasedRow:
    """A row of the table `erased`. Nothing else is kept of such a document, and later records of it are ignored.

    `batch` is the id of the batch that counts it.
    """

    document_id: str
    erased_ms: int
    owner: str | None = None
    words_left: bool = False
    batch: str | None = None


class Changes:
    """The rows of a batch's documents while facts are applied.

    Attributes:
        fresh, changed: rows to be stored, by `seq`. `gone`: stored rows to be removed.
        verdicts, inputs: what is stored beside a row.
        callbacks: rows that are now decided and accepted, whose event is to be posted.
        erased: the documents that are, by id; those in `newly` have changed.
        batches: of the documents, by id; those in `counted` have changed.
    """

    def __init__(
        self,
        stored: Iterable[RunRow],
        next_seq: int,
        erased: Iterable[ErasedRow] = (),
        batches: Iterable[BatchRow] = (),
    ) -> None:
        self.next_seq = next_seq
        self.fresh: dict[int, RunRow] = {}
        self.changed: dict[int, RunRow] = {}
        self.gone: dict[int, RunRow] = {}
        self.verdicts: list[tuple[RunRow, Noted]] = []
        self.inputs: list[tuple[RunRow, Noted]] = []
        self.callbacks: list[RunRow] = []
        self.labels_before: dict[int, Mapping[str, str]] = {}
        self.repeats = self.differing = 0
        self.erased = {it.document_id: it for it in erased}
        self.newly: set[str] = set()
        self.batches = {it.id: it for it in batches}
        self.counted: set[str] = set()
        self._sizes_before: dict[int, int] = {}
        self._documents: dict[str, dict[int, RunRow]] = {}
        for row in stored:
            self._documents.setdefault(row.document_id, {})[row.run] = row
            self.labels_before[row.seq] = dict(row.labels)
            self._sizes_before[row.seq] = row.size

    @property
    def rows_added(self) -> int:
        """The change of the number of rows."""
        return len(self.fresh) - len(self.gone)

    @property
    def bytes_added(self) -> int:
        """The change of the bytes in `events` and `inputs`."""
        now = sum(row.size for row in (*self.fresh.values(), *self.changed.values()))
        return now - sum(self._sizes_before[seq] for seq in (*self.changed, *self.gone))

    def learn(self, noted: Noted) -> None:
        """Applies a fact."""
        fact = noted.fact
        if isinstance(fact, ClosedFact):
            self._close(fact)
        elif isinstance(fact, CompletedFact):
            self._batch(fact.batch, fact.at_ms).learn_completed(fact)
        elif isinstance(fact, ErasedFact):
            self._erase(fact.document_id, fact.at_ms, fact.owner)
        elif fact.document_id in self.erased:
            if isinstance(fact, AcceptedFact):
                self._erase(fact.document_id, None, fact.owner)
                self._count_erased(fact)
        else:
            self._change(self._row(fact.document_id, fact.run), noted)

    def _change(self, row: RunRow, noted: Noted) -> None:
        repeats, differing, known = row.repeats, row.differing, row.accepted_ms is not None
        if row.learn(noted.fact):
            row.size += len(noted.body)
            self.verdicts.append((row, noted))
            self._call_back(row)
            if row.batch is not None:
                self._batch(row.batch, noted.fact.at_ms).count(row.state, noted.fact.at_ms)
        elif isinstance(noted.fact, AcceptedFact) and not known:
            if noted.body:
                row.size += len(noted.body)
                self.inputs.append((row, noted))
            row.batch = self._joined(noted.fact, row.state, row.decided_ms)
            self._call_back(row)
        self.repeats += row.repeats - repeats
        self.differing += row.differing - differing
        self._mark(row)

    def _call_back(self, row: RunRow) -> None:
        """Notes a callback once both the acceptance, which has the URL, and the verdict are known."""
        if row.callback_url is not None and row.decided:
            self.callbacks.append(row)

    def _joined(self, fact: AcceptedFact, state: str, decided_ms: int | None = None) -> str | None:
        """Counts a document in its batch; returns the batch's id, None if it belongs to none."""
        if fact.batch is None or fact.run != FIRST_RUN:
            return None
        batch = self._batch(fact.batch, fact.at_ms)
        return batch.id if batch.accept(fact, state, decided_ms) else None

    def _count_erased(self, fact: AcceptedFact) -> None:
        """Counts a document that was erased before its acceptance was read."""
        known = self.erased[fact.document_id]
        if known.batch is None:
            known.batch = self._joined(fact, ERASED, known.erased_ms)

    def _close(self, fact: ClosedFact) -> None:
        """Closes a batch. One without documents is only known by its name: an id alone may be a mistake."""
        if fact.batch in self.batches or fact.name is not None:
            self._batch(fact.batch, fact.at_ms).close(fact)

    def _batch(self, batch_id: str, at_ms: int) -> BatchRow:
        self.counted.add(batch_id)
        return self.batches.setdefault(batch_id, BatchRow(id=batch_id, begun_ms=at_ms, changed_ms=at_ms))

    def _erase(self, document_id: str, at_ms: int | None, owner: str | None) -> None:
        """Removes all rows of a document. The order of what is known of its erasure makes no difference."""
        rows = self._documents.pop(document_id, {}).values()
        for row in rows:
            if self.fresh.pop(row.seq, None) is None:
                self.gone[row.seq] = row
                self.changed.pop(row.seq, None)
        self.verdicts = [it for it in self.verdicts if it[0].document_id != document_id]
        self.inputs = [it for it in self.inputs if it[0].document_id != document_id]
        self.callbacks = [it for it in self.callbacks if it.document_id != document_id]
        known = self.erased.setdefault(document_id, ErasedRow(document_id=document_id, erased_ms=at_ms or 0))
        for row in rows:
            if row.batch is not None:
                known.batch = row.batch
                self._batch(row.batch, known.erased_ms).erase(row.state, at_ms or known.erased_ms)
        known.owner = known.owner or owner or next((row.owner for row in rows if row.owner), None)
        known.erased_ms = min(known.erased_ms, at_ms or known.erased_ms)
        self.newly.add(document_id)

    def _row(self, document_id: str, run: int) -> RunRow:
        document = self._documents.setdefault(document_id, {})
        if run not in document:
            document[run] = self.fresh[self.next_seq] = RunRow(seq=self.next_seq, document_id=document_id, run=run)
            self.next_seq += 1
            newest = max(document)
            for number, row in document.items():
                row.latest = number == newest
                self._mark(row)
        return document[run]

    def _mark(self, row: RunRow) -> None:
        if row.seq not in self.fresh:
            self.changed[row.seq] = row
