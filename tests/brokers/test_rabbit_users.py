"""Each role and each subscriber does its part with its own user, and can do nothing else: on a real node."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from uuid import uuid4

import aio_pika
import pytest
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aiormq.exceptions import ChannelAccessRefused
from prometheus_client import CollectorRegistry
from yarl import URL

from contract.batches import BatchClosed, BatchCounts, CompletedBatch
from contract.broker import BrokerUnavailable, Delivery
from contract.codec import decode_event, decode_job
from contract.events import Announcement, batch_completed, erased
from contract.metrics import Metrics
from contract.reasons import Reason
from contract.requests import Action, OwnerRequest
from contract.streams import Stream
from contract.topology import (
    ACCEPTED,
    ATTEMPTS,
    DEAD,
    DELAYED,
    DOCUMENTS,
    DOCUMENTS_HEADERS,
    INTAKE,
    INTAKE_RETRY,
    LOG,
    LOST,
    PREVIEWS,
    PROBE,
    REPLIES,
    REQUESTS,
    Queue,
    Topology,
    design,
    exchange_to,
)
from contract.users import AccountError, read_accounts, role_users
from contract.verdicts import Answer, Bury, Publish, Retry, Verdict
from runtime.audit import AuditLimits, Books
from runtime.brokers.rabbit import RabbitBroker
from runtime.brokers.rabbit.audit import RabbitAudit
from runtime.brokers.rabbit.setup import check_topology, declare_topology
from runtime.brokers.rabbit.subscriber import subscribe
from runtime.brokers.rabbit.users import definitions
from tests.brokers import samples
from tests.brokers.rabbit_backend import QUICK
from tests.brokers.suite.steps import consuming
from tests.deploy.roles import ROLES
from tests.rabbit_node import RabbitNode

pytestmark = pytest.mark.rabbit

VHOST = "scoped"
PASSWORD = "hush:hush"
GIVEN = design(delays_s=(0.2,))
CHECKED = replace(GIVEN, only_checked=True)
LANES = {"copydesk.intake.interactive", "copydesk.intake.bulk"}
DECLARED = {queue.name for queue in GIVEN.queues}
EXCHANGES = {exchange.name for exchange in GIVEN.exchanges}
NEWSROOM = "newsroom"
GERMAN = "german"
ACCOUNTS = read_accounts(
    "".join(f"{user.name}:{PASSWORD}\n" for user in role_users())
    + f"{NEWSROOM}:{PASSWORD}\n{GERMAN}=processed.de.#:{PASSWORD}\nother:{PASSWORD}\n"
)
COUNTS = BatchCounts(accepted=1, processed=1, failed=0, erased=0)
COMPLETED = batch_completed(
    CompletedBatch(id="b", name="import", closed=samples.NOW, completed=samples.NOW, counts=COUNTS)
)
USERS = [account.user.name for account in ACCOUNTS]


@dataclass(frozen=True)
class Place:
    """The virtual host of these tests."""

    node: RabbitNode

    def url(self, user: str) -> str:
        return str(URL(f"{self.node.url}{VHOST}").with_user(user).with_password(PASSWORD))

    @asynccontextmanager
    async def connection(self, user: str) -> AsyncIterator[AbstractConnection]:
        async with await aio_pika.connect(self.url(user)) as connection:
            yield connection

    @asynccontextmanager
    async def broker(self, user: str, topology: Topology = CHECKED) -> AsyncIterator[RabbitBroker]:
        metrics = Metrics(CollectorRegistry())
        async with RabbitBroker(self.url(user), metrics=metrics, topology=topology, limits=QUICK) as broker:
            yield broker


@pytest.fixture(scope="module")
def place(rabbit_node: RabbitNode) -> Iterator[Place]:
    with rabbit_node.vhost(VHOST):
        rabbit_node.define(definitions(ACCOUNTS, VHOST))
        found = Place(rabbit_node)
        asyncio.run(declare_topology(found.url("copydesk-topology"), GIVEN))
        yield found


Act = Callable[[AbstractChannel], Awaitable[object]]


async def may(connection: AbstractConnection, act: Act) -> bool:
    """Returns False if the broker refuses `act` because of the user's rights. Any other refusal is an error."""
    channel = await connection.channel()
    try:
        await act(channel)
    except ChannelAccessRefused:
        return False
    await channel.close()
    return True


def publishing(exchange: str, key: str = "") -> Act:
    async def act(channel: AbstractChannel) -> None:
        message = aio_pika.Message(b"{}", message_id=str(uuid4()))
        await (await channel.get_exchange(exchange, ensure=False)).publish(message, key, mandatory=False)

    return act


async def keep(_: AbstractIncomingMessage) -> None:
    """Leaves a delivery: it returns when the channel is closed."""


def deleting_queue(name: str) -> Act:
    return lambda channel: channel.queue_delete(name, if_unused=True)


def deleting_exchange(name: str) -> Act:
    return lambda channel: channel.exchange_delete(name, if_unused=True)


def declaring(queue: Queue) -> Act:
    return lambda channel: channel.declare_queue(queue.name, durable=True, arguments=dict(queue.arguments))


def reading(queue: str) -> Act:
    async def act(channel: AbstractChannel) -> None:
        await channel.set_qos(prefetch_count=1)
        found = await channel.get_queue(queue, ensure=False)
        if queue in set(Stream):
            tag = await found.consume(keep, arguments={"x-stream-offset": "next"})
        else:
            tag = await found.consume(keep)
        await found.cancel(tag)

    return act


def binding(source: str, queue: str, key: str = "") -> Act:
    async def act(channel: AbstractChannel) -> None:
        found = await channel.get_queue(queue, ensure=False)
        await found.bind(source, key)
        await found.unbind(source, key)

    return act


def joining(source: str, to: str) -> Act:
    async def act(channel: AbstractChannel) -> None:
        found = await channel.get_exchange(to, ensure=False)
        await found.bind(source, "never")
        await found.unbind(source, "never")

    return act


READS = {
    "copydesk-serve": {LOG, DEAD},
    "copydesk-work": {*LANES, INTAKE_RETRY, LOST, PREVIEWS, REQUESTS},
    "copydesk-record": {LOG, ACCEPTED, ATTEMPTS, REQUESTS},
    "copydesk-deliver": {LOG},
    "copydesk-audit": {LOG, ACCEPTED},
    "copydesk-topology": DECLARED,
    NEWSROOM: {LOG},
    GERMAN: set[str](),
    "other": {LOG},
}
WRITES = {
    "copydesk-serve": {INTAKE, PROBE, DOCUMENTS, *map(exchange_to, (LOG, ACCEPTED, REQUESTS, PREVIEWS))},
    "copydesk-work": {DOCUMENTS, DELAYED, REPLIES, PROBE, *map(exchange_to, (LOG, ATTEMPTS, DEAD))},
    "copydesk-record": {DOCUMENTS, PROBE, exchange_to(LOG)},
    "copydesk-deliver": {DOCUMENTS, PROBE, exchange_to(LOG)},
    "copydesk-audit": {PROBE},
    "copydesk-topology": EXCHANGES,
    NEWSROOM: set[str](),
    GERMAN: set[str](),
    "other": set[str](),
}
KEYS = {"copydesk-serve": "erased", "copydesk-record": "batch.completed", "copydesk-deliver": "webhook.disabled.gone"}


async def test_server_and_worker_do_their_part(place: Place) -> None:
    """A document is posted, awaited, tried again and published; a preview is answered; another one is buried."""
    done, doomed, preview = samples.jobs(3)

    async def handle(delivery: Delivery) -> Verdict:
        job = decode_job(delivery.body)
        if delivery.preview:
            return Answer(samples.processed(job))
        if job.id == doomed.id:
            return Bury(samples.failed(job.id, Reason.INTERNAL_ERROR), "a test")
        return Publish(samples.processed(job)) if job.history else Retry(samples.again(job), 0.2, Reason.SERVER_ERROR)

    async with place.broker("copydesk-serve") as serve, place.broker("copydesk-work") as work, asyncio.timeout(60):
        async with consuming(work, handle):
            async with serve.watch(done.id) as watch:
                assert await serve.put_many([done, doomed]) == [None, None]
                assert decode_event(await watch.next()).subject == done.id
            assert decode_event(await serve.preview(preview)).subject == preview.id
            async with work.lease("example.com") as held:
                assert held
            while (await serve.drop_dead(lambda letter: letter.id == doomed.id)).done == 0:  # noqa: ASYNC110 - the broker tells nobody
                await asyncio.sleep(0.05)
            assert await work.ready()
        await serve.request(OwnerRequest(id=done.id, action=Action.ERASE, at=samples.NOW, owner="newsroom"))
        await serve.announce(erased(done.id, samples.NOW))
        await serve.close_batch(BatchClosed(closed_batch=str(uuid4()), at=samples.NOW))
        assert (await serve.log_bounds())[1] >= 2
        assert await serve.ready()


@pytest.mark.parametrize(
    ("user", "streams", "event"),
    [
        ("copydesk-record", list(Stream), COMPLETED),
        ("copydesk-deliver", [Stream.LOG], samples.webhook_disabled(str(uuid4()))),
    ],
)
async def test_recorder_and_deliverer_do_their_part(
    place: Place, user: str, streams: list[Stream], event: Announcement
) -> None:
    async with place.broker(user) as broker, asyncio.timeout(30):
        for stream in streams:
            async with aclosing(broker.follow(stream, -1)) as batches:
                await anext(batches)
        await broker.announce(event)
        assert await broker.ready()


async def test_the_audit_does_its_part(place: Place) -> None:
    await RabbitAudit(place.url("copydesk-audit"), CHECKED, QUICK).update(Books(AuditLimits(max_run_s=1, hold_s=1)))


@pytest.mark.parametrize("user", USERS)
async def test_a_user_reads_these_queues_and_no_others(place: Place, user: str) -> None:
    async with place.connection(user) as connection:
        assert {queue for queue in DECLARED if await may(connection, reading(queue))} == READS[user]


@pytest.mark.parametrize("user", USERS)
async def test_a_user_publishes_to_these_exchanges_and_no_others(place: Place, user: str) -> None:
    async with place.connection(user) as connection:
        mine = {name for name in EXCHANGES if await may(connection, publishing(name, KEYS.get(user, "processed.en._")))}
        by_default = await may(connection, publishing("", "copydesk.intake.bulk.none"))
    assert mine == WRITES[user]
    assert by_default is (user == "copydesk-topology")


@pytest.mark.parametrize("user", [user for user in USERS if user != "copydesk-topology"])
async def test_no_user_but_the_one_of_the_topology_changes_it(place: Place, user: str) -> None:
    async with place.connection(user) as connection:
        for queue in GIVEN.queues:
            assert not await may(connection, deleting_queue(queue.name))
            assert not await may(connection, declaring(queue))
        for exchange in GIVEN.exchanges:
            assert not await may(connection, deleting_exchange(exchange.name))
        assert not await may(connection, lambda channel: channel.declare_queue("copydesk.mine"))
        assert not await may(connection, lambda channel: channel.declare_exchange("copydesk.mine"))
    assert await check_topology(place.url("copydesk-topology"), GIVEN) == []


@pytest.mark.parametrize("user", [NEWSROOM, GERMAN])
async def test_a_subscriber_binds_its_own_queues_to_what_is_for_subscribers(place: Place, user: str) -> None:
    key = "processed.de.#"
    own = f"subscriber.{user}.articles"
    async with place.connection(user) as connection:
        channel = await connection.channel()
        await channel.declare_queue(own, durable=True, arguments={"x-queue-type": "quorum"})
        sources = {name for name in EXCHANGES if await may(connection, binding(name, own, key))}
        others = {name for name in DECLARED if await may(connection, binding(DOCUMENTS, name, key))}
        joined = {(a, b) for a in EXCHANGES for b in EXCHANGES if await may(connection, joining(a, b))}
        await channel.queue_delete(own)
    assert sources == ({DOCUMENTS} if user == GERMAN else {DOCUMENTS, DOCUMENTS_HEADERS})
    assert (others, joined) == (set(), set())


async def test_a_subscriber_does_not_reach_the_queues_of_another(place: Place) -> None:
    theirs = "subscriber.other.articles"
    async with place.connection("other") as other, other.channel() as channel:
        queue = await channel.declare_queue(theirs, durable=True)
        async with place.connection(NEWSROOM) as connection:
            for act in (
                reading(theirs),
                binding(DOCUMENTS, theirs, "#"),
                lambda channel: channel.queue_delete(theirs),
                lambda channel: channel.declare_queue(theirs, durable=True),
                lambda channel: channel.declare_queue("subscriber.newsroomette"),
                lambda channel: channel.declare_queue("copydesk.replies.0"),
                lambda channel: channel.declare_queue("copydesk.lease.example.com", exclusive=True),
                lambda channel: channel.declare_queue(  # what expires in it would be published for it
                    "subscriber.newsroom", arguments={"x-dead-letter-exchange": INTAKE, "x-message-ttl": 1}
                ),
            ):
                assert not await may(connection, act)
        await queue.delete()


@pytest.mark.parametrize("key", ["processed.de.#", "processed.de.com.example.#", "processed.de.*.example", "erased"])
async def test_a_subscriber_with_a_pattern_binds_by_what_it_covers(place: Place, key: str) -> None:
    assert await binds(place, key)


@pytest.mark.parametrize(
    "key", ["#", "processed.#", "processed.*.com.#", "processed.den.#", "failed.#", "", str(uuid4())]
)
async def test_a_subscriber_with_a_pattern_binds_by_nothing_else(place: Place, key: str) -> None:
    assert not await binds(place, key)


async def binds(place: Place, key: str) -> bool:
    async with place.connection(GERMAN) as connection, connection.channel() as channel:
        queue = await channel.declare_queue(exclusive=True)
        return await may(connection, binding(DOCUMENTS, queue.name, key))


async def test_a_server_hears_of_single_documents_and_of_no_pattern(place: Place) -> None:
    async with place.connection("copydesk-serve") as connection, connection.channel() as channel:
        queue = await channel.declare_queue(f"{REPLIES}.{uuid4()}", exclusive=True)
        assert await may(connection, binding(DOCUMENTS, queue.name, str(uuid4())))
        assert not await may(connection, binding(DOCUMENTS, queue.name, "#"))


@pytest.mark.parametrize("user", [NEWSROOM, GERMAN])
async def test_subscribers_get_what_is_published_for_them(place: Place, user: str) -> None:
    event = samples.processed(samples.job())
    german = replace(event, data=replace(event.data, language="de"))
    async with place.broker("copydesk-work") as work, aclosing(subscribe(place.url(user), "processed.de.#")) as events:
        async with asyncio.TaskGroup() as group, asyncio.timeout(30):
            got = group.create_task(anext(events))
            while not got.done():
                await work.announce(german)  # type: ignore[arg-type] # as a verdict does
                await asyncio.sleep(0.1)
        assert decode_event(got.result()).subject == german.subject


async def test_a_process_that_may_not_declare_says_what_is_missing(place: Place) -> None:
    wanted = replace(CHECKED, queues=(*CHECKED.queues, Queue("copydesk.new", {"x-queue-type": "quorum"})))
    with structlog.testing.capture_logs() as logs:
        async with place.broker("copydesk-serve", wanted) as serve:
            assert not await serve.ready()
            async with asyncio.timeout(30):
                while not any(entry["event"] == "broker_session_lost" for entry in logs):  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.05)
    (entry,) = (entry for entry in logs if entry["event"] == "broker_session_lost")
    assert (entry["cause"], entry["detail"]) == (
        "topology_mismatch",
        "missing: queue copydesk.new. COPYDESK_DECLARE is false: run `copydesk topology` as a user who may declare",
    )


async def test_a_process_that_may_not_declare_and_tries_names_the_right(place: Place) -> None:
    with pytest.raises(BrokerUnavailable, match="permission_refused: ACCESS_REFUSED"):
        await declare_topology(place.url("copydesk-work"), GIVEN)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "it names no user"),
        ("newsroom", "line 1: it must be NAME:PASSWORD"),
        (f"newsroom:{PASSWORD}\n\nnewsroom:hush\n", "line 3: this user stands in a line before"),
        ("a.b:hush", "line 1: a subscriber's name has"),
        ("copydesk-none:hush", "does not begin with copydesk-"),
        ("copydesk-work=processed.#:hush", "does not begin with copydesk-"),
        ("guest:hush", "line 1: guest is RabbitMQ's own user"),
        ("ann=processed.*.com.#:hush", "line 1: a subscriber's pattern is"),
    ],
)
def test_a_wrong_line_is_named_without_its_text(text: str, fault: str) -> None:
    with pytest.raises(AccountError) as caught:
        read_accounts(text)
    assert fault in str(caught.value)
    assert "hush" not in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_a_password_may_hold_colons_and_is_not_shown() -> None:
    (account,) = read_accounts(f"newsroom:{PASSWORD}\n")
    assert account.password == PASSWORD
    assert PASSWORD not in repr(account)


def test_each_role_of_the_command_line_has_a_user() -> None:
    assert {user.name for user in role_users()} == {f"copydesk-{role}" for role in (*ROLES, "topology")}


def test_no_exchange_has_the_name_of_a_queue() -> None:
    """RabbitMQ's rights do not tell them apart: who reads a queue of that name could bind to the exchange."""
    assert not EXCHANGES & DECLARED
