"""Many documents in one request, a receipt for each as it is stored, and the rest again after a break-off.

The id of a document follows from the key of the bulk and the number of its line. A later request with the same key has
blank lines for documents that have a receipt, so the others keep their numbers and their ids.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import aclosing
from http import HTTPStatus
from typing import Any

from copydesk_client.http import NDJSON, Http, lines_of
from copydesk_client.problems import Busy, NotAllowed, Problem, Unreachable, problem_of
from copydesk_client.retries import Patience
from copydesk_client.schemas import Receipt
from copydesk_client.source import Source

_BLANKS_AT_ONCE = 65536  # bytes; chosen: one write of a socket
_OF_A_RECEIPT = frozenset(Receipt.__annotations__)

Outcome = Receipt | Problem


class Bulk:
    """The documents of one bulk, and which of them were sent and have no receipt yet."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._unanswered: dict[int, bytes] = {}
        self._taken = 0
        self._requests = 0

    async def outcomes(
        self, http: Http, headers: Mapping[str, str], params: Mapping[str, str], limit_s: float
    ) -> AsyncGenerator[tuple[int, Outcome], None]:
        """Yields the number of each document, counted from 1, and its receipt, or the problem if it is refused.

        Raises:
            NotAllowed: the API key may not post.
            Busy, Unreachable: nothing went through for `limit_s` seconds.
            Exception: what the reading of the documents raised. All before that are answered.
        """
        patience = Patience(limit_s)
        while self._unanswered or await self._take_one():
            failure: Busy | Unreachable = Unreachable("the answer ended before all documents had a receipt")
            try:
                async with aclosing(self._once(http, headers, params)) as outcomes:
                    async for number, outcome in outcomes:
                        if isinstance(outcome, Busy):
                            failure = outcome
                        elif self._unanswered.pop(number, None) is not None:
                            patience.succeeded()
                            yield number, outcome
            except (Busy, Unreachable) as broken:
                failure = broken
            if self._unanswered:
                await patience.pause(failure)
        if self._source.error is not None:
            raise self._source.error

    async def _take_one(self) -> bool:
        """Takes the next document, so that it is sent. Returns False if there is none."""
        is_ready = await self._source.is_ready()
        if is_ready:
            self._take()
        return is_ready

    def _take(self) -> bytes:
        line = self._source.take()
        self._taken += 1
        self._unanswered[self._taken] = line
        return line

    async def _once(
        self, http: Http, headers: Mapping[str, str], params: Mapping[str, str]
    ) -> AsyncGenerator[tuple[int, Outcome], None]:
        """Sends one request with all that has no receipt, and yields what is answered."""
        self._requests += 1
        options = {"headers": {**headers, "Content-Type": NDJSON}, "params": params}
        async with http.opened("POST", "/v1/documents", data=self._body(self._requests), **options) as response:
            async for line in lines_of(response):
                outcome = _outcome(line)
                if isinstance(outcome, NotAllowed):
                    raise outcome
                yield line["line"], outcome

    async def _body(self, request: int) -> AsyncIterator[bytes]:
        """Yields lines: first those that were sent before, each in its place, then new ones.

        The body of a request that broke off may go on for a moment: it takes no further document.
        """
        written = 0
        for number, line in list(self._unanswered.items()):
            for blanks in _blanks(number - 1 - written):
                yield blanks
            yield line
            written = number
        for blanks in _blanks(self._taken - written):
            yield blanks
        while await self._source.is_ready() and request == self._requests:
            yield self._take()


def _blanks(count: int) -> Iterable[bytes]:
    for begin in range(0, count, _BLANKS_AT_ONCE):
        yield b"\n" * min(_BLANKS_AT_ONCE, count - begin)


def _outcome(line: Mapping[str, Any]) -> Outcome:
    """Returns the receipt or the problem of a line. One that was cut off is for later, as it is sent again."""
    if line["status"] == HTTPStatus.ACCEPTED:
        receipt: Any = {key: value for key, value in line.items() if key in _OF_A_RECEIPT}
        stored: Receipt = receipt
        return stored
    if any(fault.get("rule") == "framing" for fault in line.get("errors", ())):
        return Busy(line, line["status"])
    after = line.get("retry_after")
    return problem_of(line, line["status"], None if after is None else str(after))
