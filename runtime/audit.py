"""Computes which runs were accepted, which are decided, and which are missing. Pure: no clock, no broker."""

import hashlib
import math
from collections import deque
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from contract.accepted import Accepted
from contract.events import BATCH_COMPLETED, ERASED
from contract.job import Lane

_SKEW_S = 60.0  # allowed between the clocks of intake and workers; chosen: NTP keeps them within a second
_DIGEST_BYTES = 8  # chosen: two different events of one run collide with probability 2**-64
_DECIDE_NOTHING = frozenset({ERASED, BATCH_COMPLETED})
_SHOWN_IDS = 20  # missing ids in a balance; chosen: enough to start a search, and they fit on a screen


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLimits:
    """When a run that has no verdict counts as missing, and how many decided runs are remembered.

    - `max_run_s`: how long a run may take, all its retries included.
    - `hold_s`: how long a run must be unaccounted for. Longer than one worker may work on a job.
    - `remembered_runs`: of more decided runs than this, the oldest are only counted. Each takes about 250 bytes.
    """

    max_run_s: float
    hold_s: float
    remembered_runs: int = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSnapshot:
    """The number of jobs in a broker's queues at one moment.

    Attributes:
        queues: by name of the queue.
        lanes: jobs that no worker has taken yet, by lane.
        elsewhere: jobs that wait for a retry, or as lost.
        documents: the ids of all jobs in flight, with those that workers have taken. None if the broker reports only
            counts.
    """

    queues: Mapping[str, int]
    lanes: Mapping[Lane, int]
    elsewhere: int
    documents: AbstractSet[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The state of the books, over distinct runs: accepted = decided + in flight + missing.

    `unrecorded` are decided runs without a record of their acceptance: that is older than what is kept, or intake died
    between the two. `unreadable` entries of the log are no events. `since` is when the oldest run on record was
    accepted. `oldest_s` is the age of the oldest run in flight, by lane. `missing_ids` are some of those that may be
    the missing ones.
    """

    accepted: int
    decided: int
    in_flight: int
    missing: int
    repeated: int
    differing: int
    unrecorded: int
    unreadable: int
    since: str | None
    queues: Mapping[str, int]
    oldest_s: Mapping[Lane, float]
    missing_ids: tuple[str, ...] = ()


@dataclass(slots=True)
class Books:
    """Records acceptances and events in the order of their logs, and computes the balance."""

    limits: AuditLimits
    undecided: dict[str, tuple[Lane, float]] = field(default_factory=dict)
    decided: dict[str, bytes] = field(default_factory=dict)
    strangers: dict[str, bytes] = field(default_factory=dict)
    repeated: set[str] = field(default_factory=set)
    differing: set[str] = field(default_factory=set)
    forgotten: int = 0
    unreadable: int = 0
    since: str | None = None
    log_begins: float | None = None
    fronts: dict[Lane, float] = field(default_factory=dict)
    suspicion: "Suspicion" = field(init=False)

    def __post_init__(self) -> None:
        self.suspicion = Suspicion(self.limits.hold_s)

    def accept(self, record: Accepted) -> None:
        """Records that a run was accepted. A second call for the same run changes nothing."""
        self.since = self.since or record.at
        if record.id in self.strangers:
            self.decided[record.id] = self.strangers.pop(record.id)
            self._advance(record.lane, _seconds(record.at))
        elif record.id not in self.decided:
            self.undecided.setdefault(record.id, (record.lane, _seconds(record.at)))

    def decide(self, body: bytes) -> None:
        """Records an event of the log. Every event after the first of a run is a repeat; some decide no run."""
        try:
            event = orjson.loads(body)
            if event.get("type") in _DECIDE_NOTHING:
                return
            run, content, at = str(event["id"]), digest(event["data"]), _seconds(event["time"])
        except (ValueError, LookupError, TypeError, AttributeError):
            self.unreadable += 1  # another program may publish to the log
            return
        if self.log_begins == math.inf:
            self.log_begins = at + _SKEW_S
        known = self.decided.get(run) or self.strangers.get(run)
        if known is not None:
            self.repeated.add(run)
            if known != content:
                self.differing.add(run)
        elif accepted := self.undecided.pop(run, None):
            self.decided[run] = content
            self._advance(*accepted)
        else:
            self.strangers[run] = content
        self._forget()

    def begin_log(self) -> None:
        """Records that events before the next one are no longer kept: nothing can be said about runs of that time."""
        self.log_begins = math.inf

    def balance(self, snapshot: QueueSnapshot, now: float) -> Balance:
        """Returns the balance. `now` is in Unix seconds and never decreases from call to call."""
        counted = {run: it for run, it in self.undecided.items() if self.log_begins is None or it[1] >= self.log_begins}
        missing, suspects = self._missing(counted, snapshot, now)
        decided = len(self.decided) + self.forgotten
        return Balance(
            accepted=decided + len(counted),
            decided=decided,
            in_flight=len(counted) - missing,
            missing=missing,
            repeated=len(self.repeated),
            differing=len(self.differing),
            unrecorded=len(self.strangers),
            unreadable=self.unreadable,
            since=self.since,
            queues=snapshot.queues,
            oldest_s={lane: _oldest(counted.values(), lane, now) for lane in Lane},
            missing_ids=tuple(suspects[:_SHOWN_IDS]),
        )

    def _missing(
        self, counted: Mapping[str, tuple[Lane, float]], snapshot: QueueSnapshot, now: float
    ) -> tuple[int, list[str]]:
        if snapshot.documents is not None:
            missing = [run for run in counted if run.rpartition(".")[0] not in snapshot.documents]
            return len(missing), missing
        due = {lane: self._front(lane, snapshot, now) - self.limits.max_run_s for lane in Lane}
        overdue = [run for run, (lane, at) in counted.items() if at < due[lane]]
        return self.suspicion.update(overdue, snapshot.elsewhere, now)

    def _front(self, lane: Lane, snapshot: QueueSnapshot, now: float) -> float:
        """Returns the time of the latest acceptance that workers reached in `lane`; `now` if nothing waits there."""
        return self.fronts.get(lane, 0.0) if snapshot.lanes[lane] else now

    def _advance(self, lane: Lane, at: float) -> None:
        self.fronts[lane] = max(at, self.fronts.get(lane, at))

    def _forget(self) -> None:
        if len(self.decided) > self.limits.remembered_runs:
            del self.decided[next(iter(self.decided))]
            self.forgotten += 1


class Suspicion:
    """Finds missing runs where the broker reports only how many jobs wait.

    No queue counts a job that a worker is working on, but within `hold_s` seconds the job is decided or waits again.
    So a run is missing if it was overdue during all of that time, and no count in that time had room for it among the
    waiting jobs.
    """

    def __init__(self, hold_s: float) -> None:
        self._hold_s = hold_s
        self._since: dict[str, float] = {}
        self._counts: deque[tuple[float, int]] = deque()

    @property
    def is_open(self) -> bool:
        """True if a later count may show that something is missing."""
        if not self._counts:
            return False
        (first, _), (last, count) = self._counts[0], self._counts[-1]
        return count > 0 and first > last - self._hold_s

    def update(self, overdue: list[str], waiting: int, now: float) -> tuple[int, list[str]]:
        """Returns the least number of missing runs, and the runs that may be missing."""
        self._since = {run: self._since.get(run, now) for run in overdue}
        self._counts.append((now, max(0, len(overdue) - waiting)))
        while len(self._counts) > 1 and self._counts[1][0] <= now - self._hold_s:
            self._counts.popleft()
        if self._counts[0][0] > now - self._hold_s:
            return 0, []
        lasting = [run for run, since in self._since.items() if since <= now - self._hold_s]
        missing = min(len(lasting), *(count for _, count in self._counts))
        return missing, lasting if missing else []


_OF_THE_MOMENT = frozenset({"timings", "idempotency", "duplicates_checked", "duplicate_of"})


def digest(data: Mapping[str, object]) -> bytes:
    """Returns a digest of an event's data without its times and checks, which differ between any two runs."""
    provenance = _mapping(data.get("provenance"))
    keyed = {name: value for name, value in _mapping(provenance.get("idempotency")).items() if name != "checked"}
    fetch = {name: value for name, value in _mapping(provenance.get("fetch")).items() if not name.endswith("_s")}
    kept = {name: value for name, value in provenance.items() if name not in _OF_THE_MOMENT}
    kept |= {"fetch": fetch} | ({"idempotency": keyed} if keyed else {})
    stable = {name: value for name, value in data.items() if name not in _OF_THE_MOMENT}
    canonical = orjson.dumps({**stable, "provenance": kept}, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(canonical, digest_size=_DIGEST_BYTES).digest()


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _seconds(rfc3339: str) -> float:
    return datetime.fromisoformat(rfc3339).timestamp()


def _oldest(undecided: Iterable[tuple[Lane, float]], lane: Lane, now: float) -> float:
    return max((now - at for its, at in undecided if its is lane), default=0.0)
