"""A receiver of webhooks: the cases, signed, and requests that it must refuse."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import aiohttp
import orjson
from aiohttp import hdrs
from standardwebhooks import Webhook
from yarl import URL

from contract.events import MEDIA_TYPE
from runtime.conformance.cases import Case, cases, small
from runtime.conformance.course import QUIET_S, Course, Finding, Tell
from runtime.conformance.subscriber import Subscriber, subscriber

_ANSWER_S = 20.0  # docs/webhooks.md: a receiver answers within that time
_RETRY_S = 0.2  # between attempts to connect, while the receiver starts
_TOO_OLD = timedelta(minutes=10)  # twice the tolerance of Standard Webhooks
_OTHER_SECRET = "whsec_" + "Y29weWRlc2s=" * 4


class NotListening(Exception):
    """Nothing accepts connections at the URL."""


async def check(url: str, secret: str, command: Sequence[str], patience_s: float, tell: Tell) -> None:
    """Tells what is found of the receiver at `url`. Without a `command` that starts it, only its answers are looked at.

    Raises:
        NotListening: nothing accepts connections there.
        OSError: there is no such program.
    """
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_ANSWER_S)) as http,
        _tested(command) as tested,
    ):
        await _Check(http, url, secret, tested, patience_s, tell).run()


@asynccontextmanager
async def _tested(command: Sequence[str]) -> AsyncIterator[Subscriber | None]:
    if not command:
        yield None
        return
    async with subscriber(command, "") as tested:
        yield tested


class _Check:
    def __init__(  # noqa: PLR0913, PLR0917 - what a check needs
        self,
        http: aiohttp.ClientSession,
        url: str,
        secret: str,
        tested: Subscriber | None,
        patience_s: float,
        tell: Tell,
    ) -> None:
        self._http, self._url, self._secret = http, url, secret
        self._tested, self._patience_s, self._tell = tested, patience_s, tell

    async def run(self) -> None:
        await self._start()
        if self._tested is None:
            for case in cases():
                self._tell(Finding(case.name, case.rule, await self._send(case)))
        else:
            await Course(self._tested, self._send, self._start, self._patience_s).run(cases(), self._tell)
        await self._rotation()
        await self._forgeries()

    async def _rotation(self) -> None:
        (case,) = small(1)
        body = case.events[0]
        mine = signed(self._secret, body)
        both = f"{signed(_OTHER_SECRET, body)['webhook-signature']} {mine['webhook-signature']}"
        fault = await self._post(body, mine | {"webhook-signature": both})
        rule = "takes a request with two signatures, one of which is right"
        self._tell(Finding("changed secret", rule, fault or await self._lines(case, 1)))

    async def _forgeries(self) -> None:
        """Sends each forgery of an event, then the event: it must take that alone."""
        for case, name in zip(small(len(_FORGERIES)), _FORGERIES, strict=True):
            headers, body = _forged(name, self._secret, case.events[0])
            status = await self._status(body, headers)
            fault = (
                None
                if status is not None and HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
                else f"its answer is {_in_words(status)}"
            )
            fault = fault or await self._lines(case, 0)
            self._tell(Finding(name, "refuses it (401)", fault))
            fault = await self._send(case) or await self._lines(case, 1)
            self._tell(Finding(f"genuine after {name}", "takes the genuine request that follows", fault))

    async def _start(self) -> None:
        if self._tested is not None:
            await self._tested.kill()
            await self._tested.start()
        try:
            async with asyncio.timeout(self._patience_s):
                while not await self._listens():  # noqa: ASYNC110 - see _RETRY_S
                    await asyncio.sleep(_RETRY_S)
        except TimeoutError:
            raise NotListening from None

    async def _listens(self) -> bool:
        url = URL(self._url)
        try:
            _, writer = await asyncio.open_connection(url.host, url.port, ssl=url.scheme == "https")
        except OSError:
            return False
        writer.close()
        return True

    async def _send(self, case: Case) -> str | None:
        faults = [await self._post(event, signed(self._secret, event)) for event in case.events]
        return next((fault for fault in faults if fault), None)

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> str | None:
        """Returns what is wrong with the answer to a genuine request: any but 2xx would be repeated for days."""
        status = await self._status(body, headers)
        is_right = status is not None and HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
        return None if is_right else f"its answer is {_in_words(status)}, instead of 2xx"

    async def _status(self, body: bytes, headers: Mapping[str, str]) -> int | None:
        """Returns the status of the answer, None without one."""
        sent = {hdrs.CONTENT_TYPE: MEDIA_TYPE, **headers}
        try:
            async with self._http.post(self._url, data=body, headers=sent, allow_redirects=False) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError):
            return None

    async def _lines(self, case: Case, wanted: int) -> str | None:
        """Returns what is wrong with the lines about a case."""
        if self._tested is None:
            return None
        lines = self._tested.lines
        if wanted:
            await self._tested.until(lambda: lines[case.document] >= wanted, self._patience_s)
        await self._tested.until(lambda: lines[case.document] > wanted, QUIET_S / 4)
        found = lines[case.document]
        return None if found == wanted else f"{found} lines name the document, instead of {wanted}"


_FORGERIES = ("no signature", "wrong secret", "other body", "other id", "too old", "from the future")


def _forged(name: str, secret: str, event: bytes) -> tuple[Mapping[str, str], bytes]:
    """Returns headers and body of a request that is not genuine."""
    now = datetime.now(UTC)
    right = signed(secret, event)
    return {
        "no signature": ({}, event),
        "wrong secret": (signed(_OTHER_SECRET, event), event),
        "other body": (right, event + b" "),
        "other id": ({**right, "webhook-id": "another"}, event),
        "too old": (signed(secret, event, now - _TOO_OLD), event),
        "from the future": (signed(secret, event, now + _TOO_OLD), event),
    }[name]


def signed(secret: str, body: bytes, at: datetime | None = None) -> dict[str, str]:
    """Returns the headers of a request that is signed as at `at`, by default now."""
    id_, at = str(orjson.loads(body)["id"]), at or datetime.now(UTC)
    signature = Webhook(secret).sign(id_, at, body.decode())
    return {"webhook-id": id_, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


def _in_words(status: int | None) -> str:
    return "none" if status is None else str(status)
