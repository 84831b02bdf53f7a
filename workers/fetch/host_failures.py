"""Remembers for a short time which hosts cannot be used, to save useless requests."""

import asyncio
from dataclasses import dataclass

from cachetools import TLRUCache
from yarl import URL

from contract.reasons import FailureClass
from workers.failures import DocumentFailure, HostFailed
from workers.fetch.limits import HostFailureLimits


@dataclass(frozen=True, slots=True)
class _Entry:
    failure: DocumentFailure
    until: float


class HostFailures:
    """Remembers failures of origins (scheme, host and port: RFC 6454 section 4)."""

    def __init__(self, limits: HostFailureLimits) -> None:
        self._limits = limits
        self._entries: TLRUCache[URL, _Entry] = TLRUCache(
            limits.origins, ttu=lambda _, entry, __: entry.until, timer=_now
        )

    def note(self, origin: URL, failure: DocumentFailure) -> None:
        """Remembers, for the time in the limits, that all URLs of `origin` fail with `failure`."""
        lifetime_s = failure.retry_after_s
        if lifetime_s is None:
            is_transient = failure.reason.failure_class is FailureClass.TRANSIENT
            lifetime_s = self._limits.transient_for_s if is_transient else self._limits.permanent_for_s
        self._entries[origin] = _Entry(failure, _now() + lifetime_s)

    def check(self, origin: URL) -> None:
        """Checks that no failure of an origin is known.

        Raises:
            HostFailed: the failure that is known; its `retry_after_s` are the seconds until it is forgotten.
        """
        entry = self._entries.get(origin)
        if entry is not None:
            known = entry.failure
            raise HostFailed(known.reason, known.detail, retry_after_s=max(0.0, entry.until - _now()))


def _now() -> float:
    return asyncio.get_running_loop().time()
