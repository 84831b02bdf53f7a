"""Finds what keeps the webhooks, and a webhook that the caller may see."""

from aiohttp import web

from contract.webhooks import Webhook, WebhookBook
from service.context import WEBHOOKS
from service.lookups.ledger import owned, part_of_ledger


def book_of(request: web.Request) -> WebhookBook:
    """Returns what keeps the webhooks of this server.

    Raises:
        ProblemError: it has no ledger.
    """
    return part_of_ledger(request, WEBHOOKS)


async def webhook_of(request: web.Request) -> Webhook:
    """Returns the webhook that the path names. A caller without `admin` sees those of its own owner alone.

    Raises:
        ProblemError: there is none that the caller sees, or the ledger is away.
    """
    return await owned(request, book_of(request).webhook, "webhook")
