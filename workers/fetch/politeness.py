"""Before a request goes to a host: its turn, and its robots.txt."""

import asyncio

from yarl import URL

from contract.reasons import Reason
from workers.failures import Failed
from workers.fetch.host_queues import HostQueues, Turn
from workers.fetch.robots import Robots


class Politeness:
    """Admits requests.

    Args:
        turns: one request at a time and host, over all workers.
        robots: what sites ask for; None where it is not asked.
    """

    def __init__(self, turns: HostQueues, robots: Robots | None) -> None:
        self._turns = turns
        self._robots = robots

    async def admit(self, url: URL) -> Turn:
        """Waits for a turn at the host of `url`, and returns it.

        Raises:
            HostBusy: the turn is not to be had soon.
            Failed: ROBOTS_DENIED, ROBOTS_UNREACHABLE, or why the host cannot be reached.
        """
        turn = await self._turns.turn(_host(url))
        if self._robots is not None:
            try:
                await self._obey(self._robots, url, turn)
            except BaseException as error:
                turn.end(error)
                raise
        return turn

    async def _obey(self, robots: Robots, url: URL, turn: Turn) -> None:
        site = await robots.rules(url)
        turn.began = asyncio.get_running_loop().time()  # robots.txt and the first page may follow each other
        turn.interval_s = max(turn.interval_s, site.interval_s)
        if not site.allows(url):
            raise Failed(Reason.ROBOTS_DENIED, "robots.txt does not allow it")


def _host(url: URL) -> str:
    """Returns what has turns of its own: a host, with its port where that is not the scheme's."""
    host = url.raw_host or ""
    return host if url.is_default_port() else f"{host}:{url.port}"
