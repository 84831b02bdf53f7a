"""What sites ask of programs: robots.txt (RFC 9309), asked for once an origin and lifetime."""

import re
import time
from dataclasses import dataclass

from aiohttp import ClientResponse
from cachetools import TLRUCache
from protego import Protego
from yarl import URL

from contract.reasons import Reason
from workers.failures import Failed
from workers.fetch import rules
from workers.fetch.body import read_start
from workers.fetch.client import GuardedClient
from workers.fetch.limits import FetchLimits

_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RobotsLimits:
    """How robots.txt is read and for how long it is believed.

    `max_bytes` are parsed, what comes after is not (RFC 9309 section 2.5). `lifetime_s` holds where the answer names
    no `max-age`, which counts between the least and the most (section 2.4). Where a site's file is out of reach it is
    asked for again after `unreachable_for_s`.
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
    """What one origin asks for. `parsed` is None where it asks for nothing; `failure` says why it cannot be asked."""

    parsed: Protego | None
    lifetime_s: float
    failure: tuple[Reason, str] | None = None

    def allows(self, url: URL, user_agent: str) -> bool:
        return self.parsed is None or bool(self.parsed.can_fetch(str(url), user_agent))

    def interval_s(self, user_agent: str) -> float:
        """Returns the seconds asked for between two requests: `Crawl-delay` or `Request-rate`, 0 for none."""
        if self.parsed is None:
            return 0.0
        rate = self.parsed.request_rate(user_agent)
        by_rate = rate.seconds / rate.requests if rate is not None and rate.requests else 0.0
        return max(float(self.parsed.crawl_delay(user_agent) or 0.0), by_rate)


class Robots:
    """The rules of sites, each remembered for its lifetime.

    Args:
        client: asks for robots.txt, with the same guards as for pages.
        limits: what is read and how long it is believed.
        fetch_limits: of the body.
    """

    def __init__(self, client: GuardedClient, limits: RobotsLimits, fetch_limits: FetchLimits) -> None:
        self._client = client
        self._limits = limits
        self._fetch_limits = fetch_limits
        self._known: TLRUCache[URL, SiteRules] = TLRUCache(
            limits.origins, ttu=lambda _, site, now: now + site.lifetime_s, timer=time.monotonic
        )

    async def rules(self, url: URL) -> SiteRules:
        """Returns what the origin of `url` asks for.

        Raises:
            Failed: ROBOTS_UNREACHABLE: its server fails, so nothing may be fetched (RFC 9309 section 2.3.1.4); or the
                reason why it cannot be reached at all.
        """
        origin = url.origin()
        site = self._known.get(origin)
        if site is None:
            site = self._known[origin] = await self._ask(origin)
        if site.failure is not None:
            raise Failed(*site.failure, retry_after_s=site.lifetime_s)
        return site

    async def _ask(self, origin: URL) -> SiteRules:
        try:
            return await self._follow(origin / "robots.txt")
        except Failed as failure:
            if failure.reason in _OF_NO_USE:
                return SiteRules(None, self._limits.lifetime_s)
            return SiteRules(None, self._limits.unreachable_for_s, (failure.reason, failure.detail))

    async def _follow(self, url: URL) -> SiteRules:
        for _ in range(self._limits.max_redirects + 1):
            async with self._client.ask(url) as response:
                target = rules.redirect_target(url, response.status, response.headers)
                if target is None:
                    return await self._site(response)
                url = target
        return SiteRules(None, self._limits.lifetime_s)

    async def _site(self, response: ClientResponse) -> SiteRules:
        status = response.status
        if status >= 500 or status == 429:  # noqa: PLR2004 - RFC 9309 section 2.3.1.4; 429 asks to come later, not in
            raise Failed(Reason.ROBOTS_UNREACHABLE, f"HTTP status {status} for robots.txt")
        lifetime_s = self._lifetime_s(response.headers.get("Cache-Control", ""))
        if not 200 <= status < 300:  # noqa: PLR2004 - section 2.3.1.3: unavailable, so all may be fetched
            return SiteRules(None, lifetime_s)
        body = await read_start(response, self._fetch_limits, self._limits.max_bytes)
        return SiteRules(Protego.parse(body.decode("utf-8-sig", "replace")), lifetime_s)

    def _lifetime_s(self, cache_control: str) -> float:
        asked = _MAX_AGE.search(cache_control)
        lifetime_s = float(asked[1]) if asked else self._limits.lifetime_s
        return min(max(lifetime_s, self._limits.lifetime_at_least_s), self._limits.lifetime_at_most_s)


_OF_NO_USE = frozenset({Reason.INVALID_URL, Reason.HEADERS_TOO_LARGE})  # the site answers, but with no rules
