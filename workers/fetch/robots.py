"""robots.txt (RFC 9309): fetched once for each origin, and again when its lifetime is over."""

import re
import time
from dataclasses import dataclass
from typing import Self

from aiohttp import ClientResponse
from cachetools import TLRUCache
from protego import Protego
from yarl import URL

from contract.reasons import Reason
from workers.failures import Failed, HostFailed
from workers.fetch import rules
from workers.fetch.body import read_start
from workers.fetch.client import GuardedClient
from workers.fetch.limits import FetchLimits
from workers.fetch.timeouts import Timeouts

_Origin = tuple[str, str | None, int | None]  # RFC 6454 section 4

_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RobotsLimits:
    """How robots.txt is read and for how long it is cached.

    `max_bytes` are parsed, the rest is not (RFC 9309 section 2.5); `max_redirects` are followed (section 2.3.1.2).
    The lifetime is the answer's `max-age` between `lifetime_at_least_s` (a minute; chosen for sites that say 0) and
    `lifetime_at_most_s` (a day, section 2.4), or `lifetime_s` without a `max-age`. If a server fails to give its file,
    the next request for it is made after `unreachable_for_s`. `origins` bounds memory: rules of 30 lines take 18 kB, so
    all take some 180 MB. A worker needs as many only if it fetches from three new sites a second.
    """

    max_bytes: int = 512 * 1024
    max_redirects: int = 5
    lifetime_s: float = 3600.0
    lifetime_at_least_s: float = 60.0
    lifetime_at_most_s: float = 24 * 3600.0
    unreachable_for_s: float = 60.0
    origins: int = 10_000


@dataclass(frozen=True, slots=True)
class SiteRules:
    """The rules of one origin for one product token.

    `parsed` is None if there are none. `interval_s` is the time between two requests that it asks for, 0 for none.
    """

    lifetime_s: float
    product: str = ""
    parsed: Protego | None = None
    interval_s: float = 0.0

    @classmethod
    def of(cls, parsed: Protego, product: str, lifetime_s: float) -> Self:
        """Returns the rules in `parsed` for `product`, with the longer of `Crawl-delay` and `Request-rate`."""
        rate = parsed.request_rate(product)
        by_rate = rate.seconds / rate.requests if rate is not None and rate.requests else 0.0
        return cls(lifetime_s, product, parsed, max(float(parsed.crawl_delay(product) or 0.0), by_rate))

    def allows(self, url: URL) -> bool:
        return self.parsed is None or bool(self.parsed.can_fetch(str(url), self.product))


class Robots:
    """The rules of sites, each cached for its lifetime.

    Args:
        client: fetches robots.txt, with the same guards as for pages.
        limits: what is read and how long it is cached.
        fetch_limits: of one fetch of robots.txt, redirects included.
        product: the user agent in robots.txt.
    """

    def __init__(self, client: GuardedClient, limits: RobotsLimits, fetch_limits: FetchLimits, product: str) -> None:
        self._client = client
        self._product = product
        self._limits = limits
        self._fetch_limits = fetch_limits
        self._known: TLRUCache[_Origin, SiteRules] = TLRUCache(
            limits.origins, ttu=lambda _, site, now: now + site.lifetime_s, timer=time.monotonic
        )

    async def rules(self, url: URL) -> SiteRules:
        """Returns the rules of the origin of `url`.

        Raises:
            HostFailed: ROBOTS_UNREACHABLE: its server fails, so nothing may be fetched (RFC 9309 section 2.3.1.4); or
                the reason why it cannot be reached at all. Failures are not cached here: the caller does that.
        """
        origin = (url.scheme, url.raw_host, url.port)
        try:
            site = self._known[origin]
        except KeyError:
            site = self._known[origin] = await self._ask(url.origin())
        return site

    async def _ask(self, origin: URL) -> SiteRules:
        try:
            async with Timeouts(self._fetch_limits.total_timeout_s) as timeouts:
                return await self._follow(origin / "robots.txt", timeouts)
        except HostFailed:
            raise
        except Failed as failed:
            if failed.reason in _WITHOUT_RULES:
                return SiteRules(self._limits.lifetime_s)
            raise HostFailed(failed.reason, failed.detail, retry_after_s=self._limits.unreachable_for_s) from failed

    async def _follow(self, url: URL, timeouts: Timeouts) -> SiteRules:
        for _ in range(self._limits.max_redirects + 1):
            with await self._client.ask(url, timeouts) as response:
                target = rules.redirect_target(url, response.status, response.headers)
                if target is None:
                    return await self._site(response, timeouts)
                url = target
        return SiteRules(self._limits.lifetime_s)

    async def _site(self, response: ClientResponse, timeouts: Timeouts) -> SiteRules:
        status = response.status
        if status >= 500 or status == 429:  # noqa: PLR2004 - RFC 9309 section 2.3.1.4; 429 asks to try later
            raise Failed(Reason.ROBOTS_UNREACHABLE, f"HTTP status {status} for robots.txt")
        lifetime_s = self._lifetime_s(response.headers.get("Cache-Control", ""))
        if not 200 <= status < 300:  # noqa: PLR2004 - section 2.3.1.3: unavailable, so all may be fetched
            return SiteRules(lifetime_s)
        body = await read_start(response, self._fetch_limits, self._limits.max_bytes, timeouts)
        return SiteRules.of(Protego.parse(body.decode("utf-8-sig", "replace")), self._product, lifetime_s)

    def _lifetime_s(self, cache_control: str) -> float:
        asked = _MAX_AGE.search(cache_control)
        lifetime_s = float(asked[1]) if asked else self._limits.lifetime_s
        return min(max(lifetime_s, self._limits.lifetime_at_least_s), self._limits.lifetime_at_most_s)


_WITHOUT_RULES = frozenset({Reason.INVALID_URL, Reason.HEADERS_TOO_LARGE})  # the site answers, but with no rules
