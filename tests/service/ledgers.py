"""An API with a real ledger in a file, filled from the records of a test."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from contract.ledger import LedgerUnavailable
from contract.replays import Replay
from contract.webhooks import Delivery, Webhook
from runtime.ledger.consumers import SqlConsumerBook
from runtime.ledger.database import ledger_url, open_engine
from runtime.ledger.queries import SqlLedger
from runtime.ledger.replays import SqlReplays
from runtime.ledger.webhooks import SqlWebhookBook
from service.app import Keeping
from tests.ledger_model import empty_ledger
from tests.runtime.ledger.records import Records, record_all
from tests.service.conftest import RunningApi, StartApi

StartLedgerApi = Callable[..., Awaitable[RunningApi]]


@pytest.fixture
async def records() -> Records:
    return Records()


@pytest.fixture
async def ledger_api(start_api: StartApi, records: Records, tmp_path: Path) -> AsyncIterator[StartLedgerApi]:
    """Starts an API whose ledger has recorded all of `records`; with `recorded=False` it has never recorded anything.

    Instead it may have a `content`: that of the file of another ledger.
    """
    path = tmp_path / "ledger.db"
    path.write_bytes(await asyncio.to_thread(empty_ledger))
    engine = open_engine(ledger_url(f"sqlite:///{path}"), writes=True)

    async def start(  # noqa: PLR0913 - what a test may ask for
        *,
        keys: tuple[str, ...] = (),
        recorded: bool = True,
        content: bytes | None = None,
        keeping: Keeping | None = None,
        operators: frozenset[str] = frozenset(),
        webhooks: Sequence[Webhook] = (),
        deliveries: Sequence[Delivery] = (),
        replays: Sequence[Replay] = (),
    ) -> RunningApi:
        if content is not None:
            path.write_bytes(content)
        elif recorded:
            await record_all(records, engine)
        book = SqlWebhookBook(engine)
        for webhook in webhooks:
            await book.add(webhook, at_most=len(webhooks))
        for delivery in deliveries:
            await book.request(delivery)
        replay_book = SqlReplays(engine, engine)
        for replay in replays:
            await replay_book.add(replay, at_most=len(replays))
        return await start_api(
            keys=keys,
            ledger=SqlLedger(engine),
            keeping=keeping,
            operators=operators,
            consumers=SqlConsumerBook(engine),
            webhooks=book,
            replays=replay_book,
        )

    yield start
    await engine.dispose()


class BrokenLedger:
    """Implements `contract.ledger.Ledger` as one whose database is away: it fails, or hangs."""

    def __init__(self, failure: Exception | None) -> None:
        self._failure = failure

    async def _fail(self, *_: object, **__: object) -> None:
        if self._failure is None:
            await asyncio.Event().wait()
        else:
            raise self._failure

    runs = event = page = recorded_until = decided_since = waiting_since = _fail
    batch = batches = batch_failures = outsiders = _fail
    body_digests = erased = input = claim = is_claimed = claimed = release = _fail


class BrokenBook:
    """Implements `contract.consumers.ConsumerBook` and `contract.webhooks.WebhookBook`: its database is away."""

    async def _fail(self, *_: object, **__: object) -> None:
        raise LedgerUnavailable

    consumers = consumer = commit = take = holder = _fail
    add = webhook = webhooks = change = remove = deliveries = delivery = request = hasten = _fail
