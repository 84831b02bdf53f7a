"""Posts to receivers: to permitted addresses only, within a time limit, and reads a bounded part of the answer."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from io import BytesIO
from types import TracebackType
from typing import Final, Self

from aiohttp import ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from yarl import URL

from contract.labels import DeliveryOutcome
from contract.reasons import Reason
from contract.webhooks import EXCERPT_BYTES
from workers.failures import Failed
from workers.fetch.addresses import AddressPolicy
from workers.fetch.errors import FOREIGN, translated
from workers.fetch.resolver import GuardedResolver

_MAX_HEADER_BYTES: Final = 16 * 1024  # of a field of an answer; chosen: more than servers send
_WHOLE_BYTES: Final = 1024 * 1024  # sent in one go; aiohttp warns of more, because it holds the event loop up
_BLOCKED: Final = {Reason.BLOCKED_ADDRESS, Reason.BLOCKED_PORT}


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptResult:
    """What came of one attempt.

    Attributes:
        outcome: in one word.
        status: of the answer, None without one: then `error` says what happened.
        excerpt: the beginning of its body as text.
        took_ms: how long the attempt took, in milliseconds.
        retry_after_s: for how long the receiver asks to wait.
    """

    outcome: DeliveryOutcome
    took_ms: int = 0
    status: int | None = None
    error: str | None = None
    excerpt: str | None = None
    retry_after_s: float | None = None

    @property
    def is_delivered(self) -> bool:
        """True if the receiver took it."""
        return self.outcome is DeliveryOutcome.DELIVERED


@dataclass(frozen=True, slots=True)
class ReceiverReach:
    """Where receivers may be: public addresses at `ports`, and `networks` at all ports."""

    networks: tuple[str, ...] = ()
    ports: tuple[int, ...] = (80, 443)
    user_agent: str = "copydesk"


class Receivers:
    """Posts over one pool of connections. Redirects are not followed: Standard Webhooks counts them as failures."""

    def __init__(self, reach: ReceiverReach, *, timeout_s: float, answer_bytes: int) -> None:
        self._policy = AddressPolicy(reach.networks, reach.ports)
        self._user_agent = reach.user_agent
        self._timeout_s = timeout_s
        self._answer_bytes = answer_bytes
        self._resolver: GuardedResolver
        self._session: ClientSession

    async def __aenter__(self) -> Self:
        """Opens the pool, which is empty at first."""
        self._resolver = GuardedResolver(self._policy)
        self._session = ClientSession(
            connector=TCPConnector(socket_factory=self._policy.open_socket, resolver=self._resolver, limit=0),
            timeout=ClientTimeout(total=None),
            cookie_jar=DummyCookieJar(),
            headers={"User-Agent": self._user_agent, "Accept-Encoding": "identity"},  # excerpts are to be read
            max_line_size=_MAX_HEADER_BYTES,
            max_field_size=_MAX_HEADER_BYTES,
            auto_decompress=False,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        """Closes all connections."""
        await self._session.close()
        await self._resolver.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> AttemptResult:
        """Posts `body` once, and returns what came of it."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout_s):
                async with self._session.post(
                    URL(url, encoded=True), data=_sent(body), headers=headers, allow_redirects=False
                ) as response:
                    start = await self._start_of(response)
        except TimeoutError:
            error = f"no answer within {self._timeout_s:g} s"
            return AttemptResult(outcome=DeliveryOutcome.TIMED_OUT, error=error, took_ms=_since(began))
        except FOREIGN as error:
            failed = translated(error)
            return AttemptResult(outcome=_outcome(failed), error=str(failed.detail), took_ms=_since(began))
        delivered = 200 <= response.status < 300  # noqa: PLR2004 - RFC 9110, section 15.3: success
        return AttemptResult(
            outcome=DeliveryOutcome.DELIVERED if delivered else DeliveryOutcome.REFUSED,
            status=response.status,
            excerpt=start[:EXCERPT_BYTES].decode(errors="replace") or None,
            retry_after_s=_retry_after(response.headers.get("Retry-After", "")),
            took_ms=_since(began),
        )

    async def _start_of(self, response: ClientResponse) -> bytes:
        """Returns the start of the body. A connection whose answer is longer is closed, not read to its end."""
        start = bytearray()
        while len(start) <= self._answer_bytes and (chunk := await response.content.readany()):
            start += chunk
        if not response.content.at_eof():
            response.close()
        return bytes(start)


def _sent(body: bytes) -> bytes | BytesIO:
    """Returns a body for aiohttp, which sends a large one in pieces if it is a file."""
    return body if len(body) <= _WHOLE_BYTES else BytesIO(body)


def _outcome(failed: Failed) -> DeliveryOutcome:
    return DeliveryOutcome.BLOCKED if failed.reason in _BLOCKED else DeliveryOutcome.UNREACHABLE


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _retry_after(value: str) -> float | None:
    """Returns a `Retry-After` in seconds (RFC 9110, section 10.2.3), None for what is none."""
    if not value:  # nearly always: to find out in other ways takes longer
        return None
    if value.isascii() and value.isdigit():
        return float(value[:9])  # a year has eight digits
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at - datetime.now(at.tzinfo)).total_seconds())
