"""Before a request goes to a host: its turn, and its robots.txt."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from yarl import URL

from contract.reasons import Reason
from workers.failures import Failed
from workers.fetch.robots import Robots
from workers.fetch.turns import Turn, Turns


class Politeness:
    """Admits requests.

    Args:
        turns: one request at a time and host, over all workers.
        robots: what sites ask for; None where it is not asked.
        user_agent: the name that rules of robots.txt are looked up by.
    """

    def __init__(self, turns: Turns, robots: Robots | None, user_agent: str) -> None:
        self._turns = turns
        self._robots = robots
        self._user_agent = user_agent

    @asynccontextmanager
    async def admit(self, url: URL) -> AsyncIterator[None]:
        """Waits for a turn at the host of `url`, which lasts while the context is open.

        Raises:
            NotYet: the turn is not to be had soon.
            Failed: ROBOTS_DENIED, ROBOTS_UNREACHABLE, or why the host cannot be reached.
        """
        async with self._turns.turn(_host(url)) as turn:
            try:
                if self._robots is not None:
                    await self._obey(self._robots, url, turn)
                yield
            except Failed as failed:
                turn.pause_s = failed.retry_after_s or 0.0
                raise

    async def _obey(self, robots: Robots, url: URL, turn: Turn) -> None:
        site = await robots.rules(url)
        turn.began = asyncio.get_running_loop().time()  # robots.txt and the first page may follow each other
        turn.interval_s = max(turn.interval_s, site.interval_s(self._user_agent))
        if not site.allows(url, self._user_agent):
            raise Failed(Reason.ROBOTS_DENIED, "robots.txt does not allow it")


def _host(url: URL) -> str:
    """Returns what has turns of its own: a host, with its port where that is not the scheme's."""
    host = url.raw_host or ""
    return host if url.is_default_port() else f"{host}:{url.port}"
