"""From a URL to the page at the end of its redirects."""

import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import ClientResponse
from yarl import URL

from contract.article import Fetched
from contract.metrics import Metrics
from contract.reasons import Reason
from workers.failures import Failed
from workers.fetch import media, refresh, rules
from workers.fetch.body import read_body, read_start
from workers.fetch.client import GuardedClient
from workers.fetch.limits import FetchLimits
from workers.fetch.page_head import title_of
from workers.fetch.trail import Trail
from workers.fetch.urls import checked_url, publisher_url
from workers.fetch.watch import Watch
from workers.walls import answer

Admission = Callable[[URL], Awaitable[AbstractContextManager[object]]]
"""Asked before each request, redirects included. It may wait or raise; what it returns is left after the answer."""


async def admit_all(_url: URL) -> AbstractContextManager[object]:
    """Admits every request at once."""
    return nullcontext()


_NONE = ("",)


@dataclass(frozen=True, slots=True)
class Page:
    """What a URL holds. `charset` is what the answer's header declares, as it is written there."""

    body: bytes
    charset: str | None
    fetched: Fetched

    @property
    def reader(self) -> media.Reader:
        """Who reads it, by its media type."""
        return media.READERS[str(self.fetched.media_type)]


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
        self._succeeded = metrics.fetches.labels("fetched")
        self._admission = admission

    async def fetch(self, url: str) -> Page:
        """Returns the page at `url`, at the end of its redirects.

        Raises:
            Failed: for any reason of the network, the server, or the kind and size of what it holds. The detail never
                quotes a body; `fetched` says how far it came.
            NotYet: a host on the way has no turn for it soon; what was fetched is forgotten.
        """
        trail = None
        try:
            asked = publisher_url(checked_url(url))
            trail = Trail(asked, asked)
            body, charset = await self._follow(trail)
        except Failed as failed:
            self._metrics.fetches.labels(failed.reason).inc()
            failed.fetched = trail.fetched() if trail else None
            raise
        self._succeeded.inc()
        return Page(body, charset, trail.fetched())

    async def _follow(self, trail: Trail) -> tuple[bytes, str | None]:
        while len(trail.passed) <= self._limits.max_redirects:
            with await self._admission(trail.url):
                came = await self._hop(trail)
            if not isinstance(came, URL):
                return came
            trail.go_on(came)
        raise Failed(Reason.TOO_MANY_REDIRECTS, f"more than {self._limits.max_redirects} redirects")

    async def _hop(self, trail: Trail) -> URL | tuple[bytes, str | None]:
        """Returns where the trail leads on to, or the body and the declared charset of the page at its end."""
        began = time.perf_counter()
        try:
            with (
                Watch(self._limits.total_timeout_s - trail.spent_s) as watch,
                await self._client.ask(trail.url, watch) as response,
            ):
                declared = media.essence(response.headers.getall("Content-Type", _NONE)[-1])  # as browsers do
                trail.answered(response.status, declared, time.perf_counter() - began)
                return await self._target(response, trail, watch) or await self._page(response, trail, watch)
        finally:
            trail.spent_s += time.perf_counter() - began
            self._metrics.fetched_bytes.inc(trail.transfer.transferred_bytes)

    async def _target(self, response: ClientResponse, trail: Trail, watch: Watch) -> URL | None:
        """Returns where the head of an answer leads on to, None where it is the head of a page."""
        headers, status = response.headers, response.status
        if target := rules.redirect_target(trail.url, status, headers):
            return target
        answer.refuse_challenge(headers)
        if status in answer.GUARDED_STATUSES:
            start = await read_start(response, self._limits, answer.SHOWN_BYTES, watch)
            answer.refuse_challenge_page(start)
            answer.refuse_challenge_title(title_of(start, response.charset))
        rules.check_status(status, headers, datetime.now(UTC))
        return refresh.header_target(trail.url, headers)

    async def _page(self, response: ClientResponse, trail: Trail, watch: Watch) -> URL | tuple[bytes, str | None]:
        declared, charset = media.check_declared(trail.media_type or ""), response.charset
        body = await read_body(response, self._limits, watch, trail.transfer)
        answer.refuse_challenge_page(body)
        trail.media_type = media.media_type_of(declared, body)
        return _sent_on(trail, body, charset) or (body, charset)


def _sent_on(trail: Trail, body: bytes, charset: str | None) -> URL | None:
    """Returns where a page sends its reader, or None where it is the one asked for.

    Raises:
        Failed: it stands in front of that one, or says that there is none.
    """
    if media.READERS[str(trail.media_type)] is media.Reader.HTML:
        target = refresh.page_target(trail.url, body, charset)
        if target is not None:
            return target
        answer.refuse_title(title_of(body, charset), body)
    if trail.passed:
        answer.refuse_detour(trail.asked, trail.url)
    return None
