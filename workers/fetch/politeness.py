"""Admits requests to a host: waits for a permit of its queue, and checks its robots.txt."""

import asyncio

from yarl import URL

from contract.reasons import Reason
from workers.failures import Failed
from workers.fetch.host_queues import HostQueues, Permit
from workers.fetch.robots import Robots


class Politeness:
    """Admits requests.

    Args:
        queues: one request at a time and host, over all workers.
        robots: the rules of sites; None if robots.txt is not used.
    """

    def __init__(self, queues: HostQueues, robots: Robots | None) -> None:
        self._queues = queues
        self._robots = robots

    async def admit(self, url: URL) -> Permit:
        """Waits until a request may be made at the host of `url`, and returns the permit.

        Raises:
            HostBusy: the host is busy for too long.
            HostFailed: the host cannot be used, or its robots.txt cannot be fetched.
            Failed: ROBOTS_DENIED.
        """
        permit = await self._queues.permit(url)
        if self._robots is not None:
            try:
                await self._obey(self._robots, url, permit)
            except BaseException as error:
                permit.end(error)
                raise
        return permit

    async def _obey(self, robots: Robots, url: URL, permit: Permit) -> None:
        site = await robots.rules(url)
        permit.began = asyncio.get_running_loop().time()  # no interval lies between robots.txt and the first page
        permit.interval_s = max(permit.interval_s, site.interval_s)
        if not site.allows(url):
            raise Failed(Reason.ROBOTS_DENIED, "robots.txt does not allow it")
