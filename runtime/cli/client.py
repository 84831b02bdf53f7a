"""The command line's side of the HTTP API."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson
import stamina

_BUSY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_ATTEMPTS = 6
_LONGEST_LINE_BYTES = 32 * 1024 * 1024  # an event is at most 12 MiB; aiohttp's default line limit is far below


class Unreachable(Exception):
    """The server does not answer at this address."""


class Refused(Exception):
    """The server refused the request; the message is its problem report in one line."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The server accepted a document: its id, the lane it waits in, and what it had to leave out, a line each."""

    id: str
    lane: str
    warnings: tuple[str, ...] = ()


class Busy(Refused):
    """The server cannot take it now; `retry_after_s` is what it asked for."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Client:
    """Speaks to one Copydesk server. Made by `connect`."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def submit(self, submission: Mapping[str, Any], idempotency_key: str) -> Receipt:
        """Posts one submission; asks again where the server is busy or the connection fails.

        Raises:
            Refused: the server will not take it.
            Unreachable: no answer, after several attempts.
        """
        try:
            async for attempt in stamina.retry_context(on=_wait_s, attempts=_ATTEMPTS, timeout=60):
                with attempt:
                    return await self._post(submission, idempotency_key)
        except aiohttp.ClientConnectionError as error:
            raise Unreachable(str(error)) from None
        raise AssertionError("stamina ends by returning or raising")

    async def _post(self, submission: Mapping[str, Any], key: str) -> Receipt:
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        async with self._session.post("/v1/documents", data=orjson.dumps(submission), headers=headers) as response:
            body = await _answer(response)
            warnings = (f"{warning['field']}: {warning['message']}" for warning in body.get("warnings", []))
            return Receipt(body["id"], body["lane"], tuple(warnings))

    async def dead_letters(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Returns one page of dead letters, as `GET /v1/dead` answers.

        Raises:
            Refused: the server will not show it.
            Unreachable: no answer.
        """
        return await self._call("GET", "/v1/dead", params)

    async def dead_letter(self, letter_id: str, *, body: bool) -> dict[str, Any]:
        """Returns one dead letter, with its bytes in base64 if `body` says so.

        Raises:
            Refused: there is none, or the server will not show it.
            Unreachable: no answer.
        """
        return await self._call("GET", _dead_path(letter_id), {"body": "true"} if body else {})

    async def retry_dead(self, letter_id: str | None, params: Mapping[str, str]) -> dict[str, Any]:
        """Retries one dead letter, or without an id those that `params` choose.

        Raises:
            Refused: there is none, it cannot be retried, or the server is busy for too long.
            Unreachable: no answer. It may have been done.
        """
        return await self._call("POST", f"{_dead_path(letter_id)}/retry", params)

    async def drop_dead(self, letter_id: str | None, params: Mapping[str, str]) -> dict[str, Any]:
        """Drops one dead letter, or without an id those that `params` choose.

        Raises:
            Refused: there is none, or the server is busy for too long.
            Unreachable: no answer. It may have been done.
        """
        return await self._call("DELETE", _dead_path(letter_id), params)

    async def _call(self, method: str, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        """Asks once more where the server is busy; not after a lost connection, for it may have been done."""
        try:
            async for attempt in stamina.retry_context(on=_wait_if_busy_s, attempts=_ATTEMPTS, timeout=60):
                with attempt:
                    async with self._session.request(method, path, params=params) as response:
                        return await _answer(response)
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError) as error:
            raise Unreachable(str(error) or "no answer in time") from None
        raise AssertionError("stamina ends by returning or raising")

    async def events(self, params: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        """Yields the events' bytes as the server sends them; goes on where it was after a lost connection.

        Raises:
            Refused: the server will not stream.
            Unreachable: no answer at first, or for half a minute later on.
        """
        last_id: str | None = None
        failures = _ATTEMPTS - 1
        while True:
            headers = {"Last-Event-ID": last_id} if last_id else {}
            try:
                async with aclosing(self._stream(params, headers)) as stream:
                    async for offset, data in stream:
                        last_id, failures = offset, 0
                        yield data
            except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
                failures += 1
                if failures >= _ATTEMPTS:
                    raise Unreachable(str(error)) from None
            await asyncio.sleep(0.5 * 2**failures)

    async def _stream(
        self, params: Mapping[str, str], headers: Mapping[str, str]
    ) -> AsyncGenerator[tuple[str, bytes], None]:
        timeout = aiohttp.ClientTimeout(total=None, sock_read=60)
        async with self._session.get("/v1/events", params=params, headers=headers, timeout=timeout) as response:
            if response.status != HTTPStatus.OK:
                raise Refused(explain(await _json(response)))
            offset, data = "", b""
            async for line in response.content:
                name, _, value = line.rstrip(b"\r\n").partition(b": ")
                if name == b"id":
                    offset = value.decode()
                elif name == b"data":
                    data = value
                elif not name and data:
                    yield offset, data
                    data = b""


@asynccontextmanager
async def connect(url: str, api_key: str | None) -> AsyncIterator[Client]:
    """Opens a client on the server at `url`, with the bearer token `api_key` if there is one."""
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    async with aiohttp.ClientSession(
        url, headers=headers, timeout=aiohttp.ClientTimeout(total=30), read_bufsize=_LONGEST_LINE_BYTES
    ) as session:
        yield Client(session)


def _wait_s(error: Exception) -> bool | float:
    """Tells stamina whether to ask again, and after how many seconds where the server said so."""
    return (
        min(error.retry_after_s, 10.0) if isinstance(error, Busy) else isinstance(error, aiohttp.ClientConnectionError)
    )


def _wait_if_busy_s(error: Exception) -> bool | float:
    return isinstance(error, Busy) and _wait_s(error)


def _dead_path(letter_id: str | None) -> str:
    return "/v1/dead" if letter_id is None else f"/v1/dead/{quote(letter_id, safe='')}"


async def _answer(response: aiohttp.ClientResponse) -> dict[str, Any]:
    body = await _json(response)
    if response.status in _BUSY:
        raise Busy(explain(body), float(response.headers.get("Retry-After", "1")))
    if not response.ok:
        raise Refused(explain(body))
    return body


async def _json(response: aiohttp.ClientResponse) -> dict[str, Any]:
    try:
        body = orjson.loads(await response.read())
    except orjson.JSONDecodeError:
        return {"title": f"status {response.status}"}
    return body if isinstance(body, dict) else {"title": f"status {response.status}"}


def explain(problem: Mapping[str, Any]) -> str:
    """Returns an RFC 9457 problem as one line."""
    faults = [f"{fault.get('field')}: {fault.get('message')}" for fault in problem.get("errors", [])]
    return "; ".join(faults) or str(problem.get("detail") or problem.get("title"))
