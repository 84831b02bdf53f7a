"""Reads the body of a request with many documents as a stream, and stops when the server does."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Protocol, TypeVar

from aiohttp import web

from service import problems
from service.context import LIMITS
from service.http.bodies import BrokenBodyError, read_pieces
from service.refusals import Problem

T_co = TypeVar("T_co", covariant=True)


class BodyReading:
    """The requests of one application that are reading documents. When the server stops, they read no more."""

    def __init__(self) -> None:
        self._timers: set[asyncio.Timeout] = set()
        self.stopping = False
        self.held = 0  # bytes that wait for their confirms, of all requests

    @asynccontextmanager
    async def within(self, seconds: float) -> AsyncGenerator[None, None]:
        """Limits the time that the body of the context may take.

        Raises:
            TimeoutError: the time is over, or the server stops.
        """
        if self.stopping:
            raise TimeoutError
        async with asyncio.timeout(seconds) as timer:
            self._timers.add(timer)
            try:
                yield
            finally:
                self._timers.discard(timer)

    def stop(self) -> None:
        """Ends all reading."""
        self.stopping = True
        for timer in self._timers:
            timer.reschedule(0)

    def over(self) -> Problem:
        """Returns why reading ended before the body did."""
        kind = problems.STOPPING if self.stopping else problems.BODY_TIMEOUT
        return Problem(kind, kind.meaning)


READING = web.AppKey("READING", BodyReading)


async def stop_reading(app: web.Application) -> None:
    """Ends the reading of documents when the server shuts down. What was read is still stored and answered."""
    app[READING].stop()


class Cutter(Protocol[T_co]):
    """Cuts a stream into documents."""

    @property
    def number(self) -> int:
        """The number of the document that is being read."""

    def add(self, piece: bytes) -> Iterator[T_co]:
        """Takes the next bytes, and yields the documents that they complete."""

    def end(self) -> Iterator[T_co]:
        """Yields the document that ends with the stream, if one does."""


async def arriving(request: web.Request, cutter: Cutter[T_co]) -> AsyncGenerator[Sequence[T_co], None]:
    """Yields the documents that arrive together. Each may take `body_timeout_s`, without back-pressure.

    Raises:
        BrokenBodyError: the body cannot be read.
        TimeoutError: a document takes too long, or the server stops.
    """
    most_s = request.app[LIMITS].body_timeout_s
    left_s, reading, now = most_s, request.app[READING], asyncio.get_running_loop().time
    async with aclosing(read_pieces(request)) as pieces:
        while True:
            began = now()
            async with reading.within(left_s):
                piece = await anext(pieces, None)
            if piece is None:
                break
            number, found, fault = cutter.number, list[T_co](), None
            try:
                found.extend(cutter.add(piece))
            except BrokenBodyError as error:  # what was whole before it counts
                fault = error
            if found:
                yield found
            if fault is not None:
                raise fault
            left_s = most_s if cutter.number > number else left_s - (now() - began)
    if rest := list(cutter.end()):
        yield rest
