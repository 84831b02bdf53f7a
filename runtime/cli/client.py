"""The command line's side of the HTTP API."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from socket import gaierror
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson

from runtime.cli.retrier import Exhausted, Refused, Retrier, Unavailable

_BUSY = {
    HTTPStatus.TOO_MANY_REQUESTS: "the intake is full",
    HTTPStatus.SERVICE_UNAVAILABLE: "the server's broker is away",
    HTTPStatus.BAD_GATEWAY: "a proxy does not reach the server",
    HTTPStatus.GATEWAY_TIMEOUT: "a proxy does not reach the server",
}
_REQUEST_TIMEOUT_S = (
    30.0  # chosen: six times as long as a server waits for its broker, and enough for 4 MiB at 1.2 Mbit/s
)
_STREAM_SILENCE_S = 60.0  # chosen: four heartbeats of the server
_REOPEN_AFTER_S = 0.5  # chosen: short for a person, and a server that stops and closes its streams is not flooded
_EXHAUSTED = "https://iana.org/assignments/http-problem-types#quota-exceeded"  # draft-ietf-httpapi-ratelimit-headers-11
_NOT_OURS = "the answer is not from Copydesk: check --url"
_NDJSON = "application/x-ndjson"
_LINES_AT_ONCE = 100  # given away together; chosen: the costs of a piece are shared, and 100 of 4 MiB fit into memory
_LONGEST_LINE_BYTES = 32 * 1024 * 1024  # chosen: over twice the largest event (12 MiB); aiohttp's default is too small


class Unreachable(Unavailable):
    """The server does not answer at this address."""


class Busy(Unavailable):
    """The server cannot handle the request now: 429, 502, 503 or 504."""


@dataclass(frozen=True, slots=True)
class PostBody:
    """The request body of one document: JSON, or the bytes of a file with query parameters."""

    body: bytes
    media_type: str
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Receipt:
    """The server accepted a document: its id, its lane, and warnings about parts that were left out, a line each.

    `batch` is the id of its batch.
    """

    id: str
    lane: str
    warnings: tuple[str, ...] = ()
    batch: str | None = None


class Client:
    """Sends requests to one Copydesk server and repeats them while it is unavailable. Made by `connect`.

    Each call raises `Refused` if the server refuses the request, and `Unavailable` if the server is unavailable for
    longer than `retrier` allows.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str, retrier: Retrier) -> None:
        self._session = session
        self._url = url
        self._retrier = retrier

    async def submit(self, post: PostBody, idempotency_key: str) -> Receipt:
        """Posts one document. Repeating the request is safe, because of the idempotency key."""
        return await self._retrier.retry(lambda: self._post(post, idempotency_key))

    async def submit_lines(
        self, lines: Sequence[bytes], params: Mapping[str, str], answered: Callable[[int, Receipt | Refused], None]
    ) -> None:
        """Posts documents, one in each of `lines`, in one request; after an outage again what has no receipt.

        Repeating is safe, because each line holds its idempotency key.

        Args:
            lines: each a document as JSON, with a line feed at its end.
            params: of the query, for all of them.
            answered: called with the place of each line, and what the server answered.
        """
        left = dict(enumerate(lines))
        while left:
            await self._retrier.retry(lambda: self._post_lines(left, params, answered))

    async def _post_lines(
        self, left: dict[int, bytes], params: Mapping[str, str], answered: Callable[[int, Receipt | Refused], None]
    ) -> None:
        """Posts what is left, and removes from it what is answered.

        Raises:
            Unavailable: nothing was answered.
        """
        places, before = list(left), len(left)
        try:
            with self._translated():
                async for line in self._line_answers(list(left.values()), params):
                    place = places[line["line"] - 1]
                    outcome = _outcome_of(line)
                    if isinstance(outcome, Unavailable):
                        raise outcome
                    del left[place]
                    answered(place, outcome)
        except Unavailable:
            if len(left) == before:
                raise
            return
        if len(left) == before:
            raise Refused(_NOT_OURS)

    async def _line_answers(self, lines: Sequence[bytes], params: Mapping[str, str]) -> AsyncIterator[dict[str, Any]]:
        async def body() -> AsyncIterator[bytes]:
            for begin in range(0, len(lines), _LINES_AT_ONCE):
                yield b"".join(lines[begin : begin + _LINES_AT_ONCE])

        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_REQUEST_TIMEOUT_S, sock_read=_REQUEST_TIMEOUT_S)
        posting = self._session.post(
            "/v1/documents", params=params, data=body(), headers={"Content-Type": _NDJSON}, timeout=timeout
        )
        async with posting as response:
            if response.content_type != _NDJSON:
                await _answer(response)
                raise Refused(_NOT_OURS)
            async for line in response.content:
                yield orjson.loads(line)

    async def _post(self, post: PostBody, key: str) -> Receipt:
        headers = {"Content-Type": post.media_type, "Idempotency-Key": key}
        answer = await self._request("POST", "/v1/documents", data=post.body, params=post.params, headers=headers)
        return _receipt(answer)

    async def close_batch(self, batch_id: str) -> None:
        """Closes a batch. Repeating the request is safe."""
        path = f"/v1/batches/{quote(batch_id, safe='')}/close"
        await self._retrier.retry(lambda: self._request("POST", path))

    async def dead_letters(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Returns one page of dead letters, as `GET /v1/dead` answers."""
        return await self._call("GET", "/v1/dead", params)

    async def dead_letter(self, letter_id: str, *, body: bool) -> dict[str, Any]:
        """Returns one dead letter, with its bytes in base64 if `body` says so."""
        return await self._call("GET", _dead_path(letter_id), {"body": "true"} if body else {})

    async def retry_dead(self, letter_id: str | None, params: Mapping[str, str]) -> dict[str, Any]:
        """Retries one dead letter, or without an id all that match `params`."""
        return await self._call("POST", f"{_dead_path(letter_id)}/retry", params)

    async def drop_dead(self, letter_id: str | None, params: Mapping[str, str]) -> dict[str, Any]:
        """Drops one dead letter, or without an id all that match `params`."""
        return await self._call("DELETE", _dead_path(letter_id), params)

    async def _call(self, method: str, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        """Repeats the request while the server is busy. Not after a lost connection: the request may have succeeded."""
        return await self._retrier.retry(lambda: self._request(method, path, params=params), on=Busy)

    async def _request(self, method: str, path: str, **rest: Any) -> dict[str, Any]:  # noqa: ANN401 - as aiohttp has it
        with self._translated():
            async with self._session.request(method, path, **rest) as response:
                return await _answer(response)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (aiohttp.InvalidURL, aiohttp.ClientSSLError) as error:  # waiting does not help
            raise Refused(f"{self._url} cannot be used: {error}") from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unreachable(f"no answer from {self._url}: {_cause(error)}") from None

    async def events(self, params: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        """Yields each event's bytes as the server sends them. After a lost connection it continues at the same place.

        Raises:
            Refused: the server refuses the request.
            Unavailable: the server did not answer the first request, or was unavailable longer than `retrier` allows.
        """
        last_id: str | None = None
        while True:
            headers = {"Last-Event-ID": last_id} if last_id else {}
            response = await self._open_stream(params, headers, is_first=last_id is None)
            with suppress(
                aiohttp.ClientError, TimeoutError
            ):  # if the fault persists, opening the next stream reports it
                async with response, aclosing(_parsed(response)) as stream:
                    async for offset, data in stream:
                        last_id = offset
                        yield data
            await asyncio.sleep(_REOPEN_AFTER_S)

    async def _open_stream(
        self, params: Mapping[str, str], headers: Mapping[str, str], *, is_first: bool
    ) -> aiohttp.ClientResponse:
        async def opened() -> aiohttp.ClientResponse:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=_REQUEST_TIMEOUT_S, sock_read=_STREAM_SILENCE_S)
            with self._translated():
                response = await self._session.get("/v1/events", params=params, headers=headers, timeout=timeout)
                if response.content_type == "text/event-stream":
                    return response
                async with response:
                    await _answer(response)
            raise Refused(_NOT_OURS)

        return await (opened() if is_first else self._retrier.retry(opened))


async def _parsed(response: aiohttp.ClientResponse) -> AsyncGenerator[tuple[str, bytes], None]:
    """Yields the offset and the data of each server-sent event."""
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
async def connect(url: str, api_key: str | None, patience_s: float) -> AsyncIterator[Client]:
    """Opens a client on the server at `url`, with the bearer token `api_key` if there is one."""
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    timeout = aiohttp.ClientTimeout(total=_REQUEST_TIMEOUT_S)
    async with aiohttp.ClientSession(
        url, headers=headers, timeout=timeout, read_bufsize=_LONGEST_LINE_BYTES
    ) as session:
        yield Client(session, url, Retrier(patience_s))


def _receipt(answer: Mapping[str, Any]) -> Receipt:
    warnings = (f"{warning['field']}: {warning['message']}" for warning in answer.get("warnings", []))
    return Receipt(answer["id"], answer["lane"], tuple(warnings), answer.get("batch"))


def _outcome_of(line: Mapping[str, Any]) -> Receipt | Refused | Unavailable:
    """Returns what a line of the answer says of its document."""
    status = line["status"]
    if status == HTTPStatus.ACCEPTED:
        return _receipt(line)
    if status in _BUSY:
        return _busy(status, line, line.get("retry_after"))
    if status == HTTPStatus.REQUEST_TIMEOUT:  # not the document's fault: the request stood still
        return Busy("the server waited too long for the documents")
    return Refused(explain(line))


def _dead_path(letter_id: str | None) -> str:
    return "/v1/dead" if letter_id is None else f"/v1/dead/{quote(letter_id, safe='')}"


async def _answer(response: aiohttp.ClientResponse) -> dict[str, Any]:
    body = await _json(response)
    if response.status in _BUSY:
        raise _busy(response.status, body, _seconds(response.headers.get("Retry-After", "")))
    if not response.ok:
        raise Refused(explain(body or {"title": f"{_NOT_OURS} (status {response.status})"}))
    if not body:
        raise Refused(_NOT_OURS)
    return body


def _busy(status: int, problem: Mapping[str, Any], retry_after_s: float | None) -> Unavailable:
    """Returns the exception for a status of `_BUSY`."""
    if problem.get("type") == _EXHAUSTED:
        names = ", ".join(problem.get("violated-policies", ()))
        return Exhausted(f"the API key has posted as much as it may ({names})", retry_after_s)
    return Busy(_BUSY[HTTPStatus(status)], retry_after_s)


async def _json(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """Returns the JSON object in the body, or an empty one if there is none: then Copydesk did not answer."""
    try:
        body = orjson.loads(await response.read())
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _seconds(retry_after: str) -> float | None:
    """Returns the seconds in a Retry-After header, None for a date, which proxies send (RFC 9110, section 10.2.3)."""
    return float(retry_after) if retry_after.isdecimal() else None


def _cause(error: Exception) -> str:
    """Returns why there was no answer. aiohttp's message for a failed connection is misleading: it mentions TLS."""
    if isinstance(error, aiohttp.ClientConnectorError):
        reason = error.os_error
        if reason.errno is None or isinstance(reason, gaierror):
            return reason.strerror or str(reason)
        return os.strerror(reason.errno)
    return " ".join(str(error).split()) or "none in time"


def explain(problem: Mapping[str, Any]) -> str:
    """Returns an RFC 9457 problem as one line."""
    faults = [f"{fault.get('field')}: {fault.get('message')}" for fault in problem.get("errors", [])]
    return "; ".join(faults) or str(problem.get("detail") or problem.get("title"))
