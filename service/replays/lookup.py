"""Finds what keeps the replays, and a replay that the caller may see."""

from aiohttp import web

from contract.replays import Replay, ReplayBook
from service.context import REPLAYS
from service.lookups.ledger import owned, part_of_ledger


def replays_of(request: web.Request) -> ReplayBook:
    """Returns what keeps the replays of this server.

    Raises:
        ProblemError: it has no ledger.
    """
    return part_of_ledger(request, REPLAYS)


async def replay_of(request: web.Request) -> Replay:
    """Returns the replay that the path names. A caller without `admin` sees those of its own owner alone.

    Raises:
        ProblemError: there is none that the caller sees, or the ledger is away.
    """
    return await owned(request, replays_of(request).replay, "replay")
