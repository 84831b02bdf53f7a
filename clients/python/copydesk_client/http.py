"""The requests: JSON in, JSON out, lines as they come, and errors as exceptions."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aiohttp

from copydesk_client.problems import Problem, Unreachable, problem_of

NDJSON = "application/x-ndjson"
CONNECT_TIMEOUT_S = 30.0  # chosen: as browsers wait
ANSWER_TIMEOUT_S = 60.0  # chosen: four heartbeats of an event stream, twice as long as a server waits for a verdict
LIMITS = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=ANSWER_TIMEOUT_S)


class Http:
    """Sends single requests to one server. It repeats none."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        """Takes the URL of the server, which may have a path, as behind a proxy."""
        self._session = session
        self._url = url.rstrip("/")

    @asynccontextmanager
    async def opened(self, method: str, path: str, **options: Any) -> AsyncIterator[aiohttp.ClientResponse]:  # noqa: ANN401 - as aiohttp has it
        """Yields an answer that is no problem.

        Raises:
            Unreachable: there is no answer, or it breaks off.
            Problem: the server refuses the request.
        """
        with translated():
            async with self._session.request(method, self._url + path, timeout=LIMITS, **options) as response:
                if response.status >= 400:  # noqa: PLR2004 - HTTP: errors begin here
                    raise await _problem(response)
                yield response

    async def json(self, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401 - as aiohttp has it; JSON
        """Returns the JSON of an answer. Raises as `opened`."""
        async with self.opened(method, path, **options) as response:
            return await body_of(response)


async def body_of(response: aiohttp.ClientResponse) -> Any:  # noqa: ANN401 - JSON
    """Returns the JSON in an answer.

    Raises:
        Unreachable: there is none.
    """
    try:
        return json.loads(await response.read())
    except ValueError:
        raise Unreachable(f"{response.url.origin()} does not answer as Copydesk does") from None


async def lines_of(response: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    """Yields the JSON of each whole line as it comes. A line may have any length."""
    parts: list[bytes] = []
    async for piece in response.content.iter_any():
        *ends, rest = piece.split(b"\n")
        for end in ends:
            line = b"".join([*parts, end])
            parts.clear()
            if line:
                yield json.loads(line)
        parts.append(rest)


@contextmanager
def translated() -> Iterator[None]:
    """Translates errors of the connection.

    Raises:
        Unreachable: there is no answer.
    """
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Unreachable(" ".join(str(error).split()) or type(error).__name__) from error


async def _problem(response: aiohttp.ClientResponse) -> Problem:
    try:
        body = json.loads(await response.read())
    except ValueError:  # a proxy's page
        body = {}
    problem: Mapping[str, Any] = body if isinstance(body, dict) else {}
    return problem_of(problem, response.status, response.headers.get("Retry-After"))
