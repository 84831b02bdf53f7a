"""Fetches the page at the end of a URL's redirects."""

import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import ClientResponse
from yarl import URL

from contract.article import Fetched
from contract.capacity import UNBOUNDED, Reservation
from contract.labels import Outcome
from contract.metrics import Metrics
from contract.reasons import Reason
from workers.failures import Failed
from workers.fetch import media, refresh, rules
from workers.fetch.body import read_body, read_start
from workers.fetch.client import GuardedClient
from workers.fetch.limits import FetchLimits
from workers.fetch.page_head import title_of
from workers.fetch.timeouts import Timeouts
from workers.fetch.trace import FetchTrace
from workers.fetch.urls import checked_url, publisher_url
from workers.walls import answer

Admission = Callable[[URL], Awaitable[AbstractContextManager[object]]]
"""Called before each request, redirects included. It may wait or raise. Its context ends after the answer."""


async def admit_all(_url: URL) -> AbstractContextManager[object]:
    """Admits every request at once."""
    return nullcontext()


_NONE = ("",)


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """A fetched page. `charset` is the one that the Content-Type header declares, unchanged."""

    body: bytes
    charset: str | None
    fetched: Fetched

    @property
    def reader(self) -> media.Reader:
        """The reader for the media type."""
        return media.READERS[str(self.fetched.media_type)]


class Fetcher:
    """Fetches pages.

    Args:
        client: makes the requests; it must be open.
        limits: of one fetch.
        metrics: count fetches by outcome, and bytes.
        admission: called before each request.
    """

    def __init__(
        self, client: GuardedClient, limits: FetchLimits, metrics: Metrics, *, admission: Admission = admit_all
    ) -> None:
        self._client = client
        self._limits = limits
        self._metrics = metrics
        self._succeeded = metrics.fetches.labels(Outcome.FETCHED)
        self._admission = admission

    async def fetch(self, url: str, reservation: Reservation = UNBOUNDED) -> FetchedPage:
        """Returns the page at `url`, after its redirects. `reservation` counts its bytes as they come.

        Raises:
            Failed: the network or the server failed, or the answer is not accepted. `fetched` says how far the fetch
                came. The detail never quotes a body.
            HostBusy: one of the hosts may not be asked soon. What was fetched is dropped.
            NoRoom: the worker holds too much.
        """
        trace = None
        try:
            asked = publisher_url(checked_url(url))
            trace = FetchTrace(asked, asked)
            body, charset = await self._follow(trace, reservation)
        except Failed as failed:
            self._metrics.fetches.labels(failed.reason).inc()
            raise failed.knowing(fetched=trace.fetched() if trace else None) from failed
        self._succeeded.inc()
        return FetchedPage(body, charset, trace.fetched())

    async def _follow(self, trace: FetchTrace, reservation: Reservation) -> tuple[bytes, str | None]:
        while len(trace.passed) <= self._limits.max_redirects:
            with await self._admission(trace.url):
                came = await self._hop(trace, reservation)
            if not isinstance(came, URL):
                return came
            trace.go_on(came)
        raise Failed(Reason.TOO_MANY_REDIRECTS, f"more than {self._limits.max_redirects} redirects")

    async def _hop(self, trace: FetchTrace, reservation: Reservation) -> URL | tuple[bytes, str | None]:
        """Makes one request. Returns the next URL, or the body and the declared charset of the page."""
        began = time.perf_counter()
        try:
            async with Timeouts(self._limits.total_timeout_s - trace.spent_s) as timeouts:
                with await self._client.ask(trace.url, timeouts) as response:
                    declared = media.essence(response.headers.getall("Content-Type", _NONE)[-1])  # as browsers do
                    trace.answered(response.status, declared, time.perf_counter() - began)
                    target = await self._target(response, trace, timeouts)
                    return target or await self._page(response, trace, timeouts, reservation)
        finally:
            trace.spent_s += time.perf_counter() - began
            self._metrics.fetched_bytes.inc(trace.transfer.transferred_bytes)

    async def _target(self, response: ClientResponse, trace: FetchTrace, timeouts: Timeouts) -> URL | None:
        """Returns the next URL if the header redirects, None if the answer is a page."""
        headers, status = response.headers, response.status
        if target := rules.redirect_target(trace.url, status, headers):
            return target
        answer.refuse_challenge(headers)
        if status in answer.GUARDED_STATUSES:
            start = await read_start(response, self._limits, answer.SHOWN_BYTES, timeouts)
            answer.refuse_challenge_page(start)
            answer.refuse_challenge_title(title_of(start, response.charset))
        rules.check_status(status, headers, datetime.now(UTC))
        return refresh.header_target(trace.url, headers)

    async def _page(
        self, response: ClientResponse, trace: FetchTrace, timeouts: Timeouts, reservation: Reservation
    ) -> URL | tuple[bytes, str | None]:
        declared, charset = media.check_declared(trace.media_type or ""), response.charset
        body = await read_body(response, self._limits, timeouts, trace.transfer, reservation)
        answer.refuse_challenge_page(body)
        trace.media_type = media.media_type_of(declared, body)
        return _sent_on(trace, body, charset) or (body, charset)


def _sent_on(trace: FetchTrace, body: bytes, charset: str | None) -> URL | None:
    """Returns the next URL if the page redirects, None if it is the requested page.

    Raises:
        Failed: the page is a wall in front of the requested one, or says that there is no such page.
    """
    if media.READERS[str(trace.media_type)] is media.Reader.HTML:
        target = refresh.page_target(trace.url, body, charset)
        if target is not None:
            return target
        answer.refuse_title(title_of(body, charset), body)
    if trace.passed:
        answer.refuse_detour(trace.asked, trace.url)
    return None
