"""What keeps Copydesk from working here, or soon will: each module examines one part of what surrounds it.

finding   what was found, why it matters, how to mend it
broker    RabbitMQ: reach, version, topology, rights, alarms
ledger    the database: reach, tables, clock
readers   how far the ledger, consumers and webhooks are behind the log
machine   the data folder and its disk, open files, memory for the settings
reach     names, and a site, as a worker reaches it

Nothing is changed anywhere.
"""

from collections.abc import AsyncIterator

from runtime.doctor.finding import Finding
from runtime.settings import Settings


async def examine(settings: Settings, fetch: str | None = None) -> AsyncIterator[Finding]:
    """Yields what is found, part by part. Parts that the settings do not name are left out.

    `fetch` is the URL of a page to fetch, None to fetch none.
    """
    from runtime.doctor import machine, reach  # noqa: PLC0415 - each part is loaded when it is examined

    yield await reach.names()
    url, edges = settings.rabbit_url(), None
    if url is not None:
        from runtime.doctor import broker  # noqa: PLC0415 - as above

        for finding in await broker.examine(url, settings.topology()):
            yield finding
        edges = await broker.log_edges(url)
    if settings.ledger_url is not None:
        from runtime.doctor import ledger  # noqa: PLC0415 - as above

        for finding in await ledger.examine(settings.ledger_url.get_secret_value(), edges):
            yield finding
    for finding in machine.examine(settings):
        yield finding
    if fetch is not None:
        yield await reach.site(settings, fetch)
