"""Finds what keeps the webhooks, and a webhook that the caller may see."""

import re
from collections.abc import Mapping
from typing import Final

from aiohttp import web

from contract.webhooks import Webhook, WebhookBook
from service import problems
from service.access.known_keys import owner_seen
from service.context import WEBHOOKS
from service.lookups.ledger import asked
from service.problems import Problem, ProblemError, invalid_parameter

_ID: Final = re.compile(r"[0-9a-f-]{36}")


def book_of(request: web.Request) -> WebhookBook:
    """Returns what keeps the webhooks of this server.

    Raises:
        ProblemError: it has no ledger.
    """
    book = request.app[WEBHOOKS]
    if book is None:
        raise ProblemError(Problem(problems.LEDGER_NOT_CONFIGURED, problems.LEDGER_NOT_CONFIGURED.meaning))
    return book


async def webhook_of(request: web.Request) -> Webhook:
    """Returns the webhook that the path names. A caller without `admin` sees those of its own owner alone.

    Raises:
        ProblemError: there is none that the caller sees, or the ledger is away.
    """
    found = await asked(book_of(request).webhook(request.match_info["id"].replace("\0", "")))
    if found is None or owner_seen(request) not in {None, found.owner}:
        raise missing("webhook")
    return found


def before_id(given: Mapping[str, str]) -> str | None:
    """Returns the id in the parameter `cursor`, behind which a page begins; None if there is none.

    Raises:
        ProblemError: it is no id.
    """
    cursor = given.get("cursor")
    if cursor is not None and not _ID.fullmatch(cursor):
        raise invalid_parameter("cursor", "cursor", "must be the next of a page that was listed before")
    return cursor


def missing(what: str) -> ProblemError:
    """Returns the problem of something that is not there, or not for the caller to see."""
    return ProblemError(Problem(problems.NOT_FOUND, f"There is no such {what}."))
