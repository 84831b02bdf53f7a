"""The state of a run, and how each fact changes it. The result does not depend on the order of reading the records.

The first acceptance and the first verdict in their records count; of attempts the latest counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import orjson

from contract.events import host_of
from contract.ledger import State
from runtime.ledger.facts import AcceptedFact, AttemptFact, Fact, VerdictFact
from runtime.ledger.times import parsed_milliseconds


@dataclass(slots=True, kw_only=True)
class RunRow:
    """One row of the table `runs`. Times are in milliseconds since 1970."""

    seq: int
    document_id: str
    run: int
    latest: bool = True
    sort_ms: int = 0
    state: str = State.ACCEPTED
    kind: str | None = None
    lane: str | None = None
    owner: str | None = None
    url: str | None = None
    host: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    accepted_ms: int | None = None
    decided_ms: int | None = None
    tried: int = 0
    attempts: int | None = None
    reason: str | None = None
    detail: str | None = None
    next_ms: int | None = None
    title: str | None = None
    language: str | None = None
    published: str | None = None
    published_ms: int | None = None
    digest: bytes | None = None
    size: int = 0
    repeats: int = 0
    differing: int = 0
    body_digest: str | None = None
    batch: str | None = None
    callback_url: str | None = field(default=None, repr=False)

    @classmethod
    def read(cls, columns: Mapping[str, Any]) -> "RunRow":
        """Returns the row from its stored columns."""
        return cls(**{**columns, "labels": orjson.loads(columns["labels"])})

    def columns(self) -> dict[str, Any]:
        """Returns the columns to store."""
        return {name: getattr(self, name) for name in COLUMNS} | {"labels": orjson.dumps(self.labels).decode()}

    @property
    def decided(self) -> bool:
        """True if there is a verdict."""
        return self.digest is not None

    def learn(self, fact: Fact) -> bool:
        """Applies `fact`. Returns True if it is the verdict on this run."""
        match fact:
            case AcceptedFact():
                self._accept(fact)
            case AttemptFact():
                self._try(fact)
            case VerdictFact():
                return self._decide(fact)
        return False

    def _accept(self, fact: AcceptedFact) -> None:
        if self.accepted_ms is not None:
            return
        self.accepted_ms = self.sort_ms = fact.at_ms
        self.lane, self.owner, self.body_digest = fact.lane, fact.owner, fact.body_digest
        self.kind = fact.kind or self.kind
        self.url = fact.url or self.url
        self.host = self.host or host_of(fact.url)
        self.labels = dict(fact.labels) or self.labels
        self.callback_url = fact.callback_url

    def _try(self, fact: AttemptFact) -> None:
        if fact.attempt <= self.tried:
            return
        self.tried = fact.attempt
        self.sort_ms = self.sort_ms or fact.at_ms
        if not self.decided:
            self.state = State.PROCESSING
            self.reason, self.detail, self.next_ms = fact.reason, fact.detail, fact.next_ms

    def _decide(self, fact: VerdictFact) -> bool:
        if self.decided:
            self.repeats += 1
            self.differing += self.digest != fact.digest
            return False
        self.state, self.digest, self.decided_ms = fact.state, fact.digest, fact.at_ms
        self.reason, self.detail, self.next_ms = fact.reason, fact.detail, None
        self.attempts = fact.attempts
        self.title, self.language, self.published = fact.title, fact.language, fact.published
        self.published_ms = _published_ms(fact.published)
        self.host = fact.host or self.host
        self.kind = self.kind or fact.kind
        self.url = self.url or fact.url
        self.labels = self.labels or dict(fact.labels)
        if self.accepted_ms is None:
            self.sort_ms = fact.at_ms
        return True


COLUMNS = tuple(column.name for column in fields(RunRow))


def _published_ms(published: str | None) -> int | None:
    try:
        return None if published is None else parsed_milliseconds(published)
    except (ValueError, OverflowError):
        return None
