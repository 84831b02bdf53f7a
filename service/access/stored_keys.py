"""The API keys of the ledger, as this process last read them: no request waits for the database."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Final

import structlog

from contract.broker import Stop
from contract.keys import Key, KeyBook, Scope, digest_of, id_of
from contract.ledger import LedgerUnavailable
from contract.metrics import Metrics

log = structlog.get_logger(__name__)

FRESH_S: Final = 5.0
"""A revoked key is refused after this time at the latest, as long as the ledger answers."""

_EVERY_S: Final = 1.0  # chosen: with the timeout, one reading in three may fail within FRESH_S
_TIMEOUT_S: Final = 1.5  # chosen: as above; a database that works answers in milliseconds


class KeysUnknown(Exception):
    """The keys were last read too long ago to say whether this one may be used."""

    retry_after_s: int = LedgerUnavailable.retry_after_s


@dataclass(frozen=True, slots=True)
class _Reading:
    keys: Mapping[str, Key]
    began: float  # on the monotonic clock, when the database was asked


class StoredKeys:
    """Reads the keys again every second, and finds the key of a token.

    Args:
        book: the ledger's keys.
        secret: the setting that the HMACs are made with.
        outage_s: for how long known keys are taken while the ledger is away. Keys with the scope `admin` are taken for
            `FRESH_S` only: with them an outage would cost most.
        clock: returns the current time, aware.
        elapsed: returns seconds on a clock that only goes forward.
    """

    def __init__(
        self,
        book: KeyBook,
        secret: str,
        *,
        outage_s: float,
        clock: Callable[[], datetime],
        elapsed: Callable[[], float] = monotonic,
    ) -> None:
        self._book = book
        self._secret = secret
        self._outage_s = outage_s
        self._clock = clock
        self._elapsed = elapsed
        self._reading: _Reading | None = None
        self._known_away = False

    @property
    def age_s(self) -> float:
        """For how many seconds the ledger was not read; infinite before the first time."""
        return float("inf") if self._reading is None else self._elapsed() - self._reading.began

    async def refresh(self) -> None:
        """Reads the keys. If the ledger is away, or takes too long, those that were read before stay."""
        began = self._elapsed()
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                found = await self._book.usable_keys()
        except (LedgerUnavailable, TimeoutError) as error:
            if not self._known_away:
                log.warning("keys_not_read", error=type(error).__name__, known_keys_for_s=self._outage_s)
            self._known_away = True
            return
        if self._known_away:
            log.info("keys_read_again")
        self._known_away = False
        self._reading = _Reading({key.id: key for key in found}, began)

    async def keep(self, metrics: Metrics, stop: Stop) -> None:
        """Reads the keys every second until `stop` is set."""
        while not stop.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_S):
                    await stop.wait()
            await self.refresh()
            metrics.keys_age_seconds.set(self.age_s)

    def find(self, token: str) -> Key | None:
        """Returns the key that this token opens, None if there is none.

        Raises:
            KeysUnknown: the ledger has been away for too long.
        """
        key_id = id_of(token)
        return None if key_id is None else self.opened(key_id, digest_of(token, self._secret))

    def opened(self, key_id: str, digest: bytes) -> Key | None:
        """Returns the key with this id if a token with this digest opens it.

        Raises:
            KeysUnknown: the ledger has been away for too long.
        """
        key = None if self._reading is None else self._reading.keys.get(key_id)
        if key is None or not key.is_opened_by(digest, self._clock()):
            if self.age_s > FRESH_S:  # it may be new
                raise KeysUnknown
            return None
        if self.age_s > (FRESH_S if Scope.ADMIN in key.scopes else max(FRESH_S, self._outage_s)):
            raise KeysUnknown
        return key

    def current(self, key_id: str) -> Key | None:
        """Returns the key with this id, None if it is not in use.

        Raises:
            KeysUnknown: the ledger has been away for too long.
        """
        known = None if self._reading is None else self._reading.keys.get(key_id)
        return self.opened(key_id, b"" if known is None else known.digest)

    def digest(self, token: str) -> bytes:
        """Returns the digest by which a token is known."""
        return digest_of(token, self._secret)
