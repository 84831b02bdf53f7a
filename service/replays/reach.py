"""Finds what keeps the replays, and a replay that the caller may see."""

from aiohttp import web

from contract.replays import Replay, ReplayBook
from service import problems
from service.access.known_keys import owner_seen
from service.context import REPLAYS
from service.lookups.ledger import asked
from service.problems import Problem, ProblemError
from service.webhooks.lookup import missing


def replays_of(request: web.Request) -> ReplayBook:
    """Returns what keeps the replays of this server.

    Raises:
        ProblemError: it has no ledger.
    """
    book = request.app[REPLAYS]
    if book is None:
        raise ProblemError(Problem(problems.LEDGER_NOT_CONFIGURED, problems.LEDGER_NOT_CONFIGURED.meaning))
    return book


async def replay_of(request: web.Request) -> Replay:
    """Returns the replay that the path names. A caller without `admin` sees those of its own owner alone.

    Raises:
        ProblemError: there is none that the caller sees, or the ledger is away.
    """
    found = await asked(replays_of(request).replay(request.match_info["id"].replace("\0", "")))
    if found is None or owner_seen(request) not in {None, found.owner}:
        raise missing("replay")
    return found
