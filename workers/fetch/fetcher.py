"""From a URL to the page at the end of its redirects."""

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import ClientResponse
from yarl import URL

from contract.article import Fetched
from contract.metrics import Metrics
from contract.reasons import Reason
from workers.failures import Failed
from workers.fetch import media, rules, walls
from workers.fetch.body import read_body, read_start
from workers.fetch.client import GuardedClient
from workers.fetch.errors import Deadline
from workers.fetch.limits import FetchLimits
from workers.fetch.page_head import Head, refresh_target, title_of
from workers.fetch.urls import checked_url, publisher_url

Admission = Callable[[URL], AbstractAsyncContextManager[object]]
"""Asked before each request, redirects included: entering may wait or raise, and is held until the answer is read."""


def admit_all(_url: URL) -> AbstractAsyncContextManager[object]:
    """Admits every request at once."""
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Page:
    """What a URL holds. `charset` is what the answer's header declares, as it is written there."""

    body: bytes
    charset: str | None
    fetched: Fetched

    @property
    def reader(self) -> media.Reader:
        """Who reads it, by its media type."""
        return media.READERS[self.fetched.media_type]


@dataclass(frozen=True, slots=True)
class _Trail:
    """Where a fetch has come to: what was asked for at first, the URLs it has passed, and the seconds it has taken."""

    asked: URL
    url: URL
    passed: tuple[str, ...] = ()
    spent_s: float = 0.0

    def onward(self, target: URL, seconds: float) -> "_Trail":
        return _Trail(self.asked, target, (*self.passed, str(self.url)), self.spent_s + seconds)


class Fetcher:
    """Fetches pages.

    Args:
        client: asks for them; open for as long as this is used.
        limits: of one fetch.
        metrics: fetches by outcome, and bytes.
        admission: asked before each request.
    """

    def __init__(
        self, client: GuardedClient, limits: FetchLimits, metrics: Metrics, *, admission: Admission = admit_all
    ) -> None:
        self._client = client
        self._limits = limits
        self._metrics = metrics
        self._admission = admission

    async def fetch(self, url: str) -> Page:
        """Returns the page at `url`, at the end of its redirects.

        Raises:
            Failed: for any reason of the network, the server, or the kind and size of what it holds. The detail never
                quotes a body.
            NotYet: a host on the way has no turn for it soon; what was fetched is forgotten.
        """
        try:
            page = await self._follow(publisher_url(checked_url(url)))
        except Failed as failed:
            self._metrics.fetches.labels(failed.reason).inc()
            raise
        self._metrics.fetches.labels("fetched").inc()
        self._metrics.fetched_bytes.inc(page.fetched.transferred_bytes)
        return page

    async def _follow(self, asked: URL) -> Page:
        trail = _Trail(asked, asked)
        while len(trail.passed) <= self._limits.max_redirects:
            came = await self._hop(trail)
            if isinstance(came, Page):
                return came
            trail = came
        raise Failed(Reason.TOO_MANY_REDIRECTS, f"more than {self._limits.max_redirects} redirects")

    async def _hop(self, trail: _Trail) -> Page | _Trail:
        """Returns the page at the trail's end, or the trail that it leads on to."""
        async with self._admission(trail.url):
            began = time.perf_counter()
            deadline = Deadline.in_seconds(self._limits.total_timeout_s - trail.spent_s)
            async with self._client.ask(trail.url, deadline) as response:
                first_byte_s = time.perf_counter() - began
                target = rules.redirect_target(trail.url, response.status, response.headers)
                if target is None:
                    await self._refuse(response, deadline)
                    page = await self._page(response, trail, first_byte_s, deadline)
                    target = _judged(page, trail)
                    if target is None:
                        return page
            return trail.onward(target, time.perf_counter() - began)

    async def _page(self, response: ClientResponse, trail: _Trail, first_byte_s: float, deadline: Deadline) -> Page:
        declared = media.check_declared(_last(response, "Content-Type"))
        body = await read_body(response, self._limits, deadline)
        walls.refuse_challenge_page(body.content)
        media_type = media.media_type_of(declared, body.content)
        fetched = Fetched(
            url=str(trail.url),
            status=response.status,
            media_type=media_type,
            redirects=trail.passed,
            size=len(body.content),
            transferred_bytes=body.transferred_bytes,
            first_byte_s=round(first_byte_s, 6),
        )
        return Page(body.content, response.charset, fetched)

    async def _refuse(self, response: ClientResponse, deadline: Deadline) -> None:
        walls.refuse_challenge(response.headers)
        if response.status in walls.GUARDED_STATUSES:
            start = await read_start(response, self._limits, walls.SHOWN_BYTES, deadline)
            walls.refuse_challenge_page(start)
        rules.check_status(response.status, response.headers, datetime.now(UTC))


def _judged(page: Page, trail: _Trail) -> URL | None:
    """Returns where `page` sends its reader, or None where it is the one asked for."""
    if page.reader is media.Reader.HTML:
        head = Head.of(page.body)
        target = refresh_target(trail.url, head, page.charset)
        if target is not None:
            return target
        walls.refuse_title(title_of(head, page.charset), page.body)
    if trail.passed:
        walls.refuse_detour(trail.asked, trail.url)
    return None


def _last(response: ClientResponse, name: str) -> str:
    """Returns the last value of a header, as browsers take it where there are several."""
    return response.headers.getall(name, [""])[-1]
