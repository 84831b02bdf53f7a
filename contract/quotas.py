"""How much a key has used of what it may post. Pure: the same rules where it is counted in memory and in a database.

Each limit counts in windows of a fixed length that begin with the clock's minute or day in UTC, so that a client can
be told exactly how much is left and until when.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Protocol

from contract.keys import Limits

_MINUTE_S: Final = 60  # `Limits.per_minute`
_DAY_S: Final = 24 * 3600  # `Limits.documents_a_day`, in UTC: POSIX time has no leap seconds


class QuotaPolicy(StrEnum):
    """The limits by the names that they have in headers and problems."""

    RATE = "rate"
    DAILY_DOCUMENTS = "daily-documents"
    DAILY_BYTES = "daily-bytes"

    @property
    def window_s(self) -> int:
        """The length of its window, in seconds."""
        return _MINUTE_S if self is QuotaPolicy.RATE else _DAY_S


@dataclass(frozen=True, slots=True)
class QuotaWindow:
    """So many documents or bytes were used in the window with this number, counted from 1970."""

    number: int
    used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What is to be posted. Below 0: what was charged and is given back, because it was not stored."""

    documents: int = 1
    size: int = 0

    def of(self, policy: QuotaPolicy) -> int:
        """Returns how much of this limit it takes."""
        return self.size if policy is QuotaPolicy.DAILY_BYTES else self.documents

    def back(self) -> "Charge":
        """Returns what gives it back."""
        return Charge(documents=-self.documents, size=-self.size)


@dataclass(frozen=True, slots=True)
class Remaining:
    """Of `quota` documents or bytes, `left` may be posted in the next `ends_in_s` seconds."""

    policy: QuotaPolicy
    quota: int
    left: int
    ends_in_s: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What is left of each limit. What was charged is not counted if limits are `violated`."""

    remaining: Sequence[Remaining]
    violated: Sequence[Remaining] = ()


Usage = Mapping[QuotaPolicy, QuotaWindow]
"""What a key has used, by limit."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The usage after a charge, and what is left."""

    usage: Usage
    standing: Standing = field(compare=False)


class Counter(Protocol):
    """Counts what each key has used."""

    async def settle(self, key_id: str, limits: Limits, charge: Charge, now_s: float) -> Standing:
        """Counts the charge against all limits, or against none if it exceeds one. `now_s` is POSIX time."""


def settle(limits: Limits, usage: Usage, charge: Charge, now_s: float) -> Settled:
    """Returns the usage after `charge`, which is all counted, or not at all if it exceeds a limit.

    A window that is newer than the clock says is that of a replica whose clock is ahead: it stays.
    """
    windows, remaining, violated = dict(usage), [], []
    for policy, quota in _quotas(limits).items():
        number = max(int(now_s // policy.window_s), usage[policy].number if policy in usage else 0)
        used = usage[policy].used if policy in usage and usage[policy].number == number else 0
        after = max(0, used + charge.of(policy))
        ends_in_s = max(1, math.ceil((number + 1) * policy.window_s - now_s))
        kept = Remaining(policy, quota, max(0, quota - after), ends_in_s)
        if after > quota and charge.of(policy) > 0:
            violated.append(replace(kept, left=max(0, quota - used)))
        windows[policy] = QuotaWindow(number, after)
        remaining.append(kept)
    if not violated:
        return Settled(windows, Standing(remaining))
    untouched = settle(limits, usage, Charge(documents=0), now_s)
    return Settled(untouched.usage, Standing(untouched.standing.remaining, violated))


def _quotas(limits: Limits) -> Mapping[QuotaPolicy, int]:
    given = {
        QuotaPolicy.RATE: limits.per_minute,
        QuotaPolicy.DAILY_DOCUMENTS: limits.documents_a_day,
        QuotaPolicy.DAILY_BYTES: limits.bytes_a_day,
    }
    return {policy: quota for policy, quota in given.items() if quota is not None}
