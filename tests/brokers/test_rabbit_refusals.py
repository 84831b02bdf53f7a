"""Every process that uses AMQP reports in one line what is wrong with the broker's URL, and the remedy."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

import pytest
import structlog
from yarl import URL

from contract.broker import BrokerUnavailable
from contract.labels import SessionLoss
from contract.topology import design
from runtime.audit import AuditLimits, Books
from runtime.brokers.rabbit import RabbitBroker
from runtime.brokers.rabbit.audit import RabbitAudit
from runtime.brokers.rabbit.setup import check_topology, declare_topology
from runtime.brokers.rabbit.subscriber import subscribe
from runtime.errors import StartError
from tests.brokers.rabbit_backend import QUICK, RabbitBackend
from tests.rabbit_node import RabbitNode

pytestmark = pytest.mark.rabbit

SECRET = "hush-hush"


@pytest.fixture(scope="module")
def users(rabbit_node: RabbitNode) -> RabbitNode:
    """The node with one user without a virtual host, and one without permissions in its virtual host."""
    rabbit_node.add_user("stranger", SECRET)
    rabbit_node.add_user("reader", SECRET, "/", may="^$")
    return rabbit_node


@pytest.fixture
async def silent() -> AsyncIterator[int]:
    """A port that takes connections and never says a word."""
    done = asyncio.Event()

    async def wait(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await done.wait()
        writer.close()

    async with await asyncio.start_server(wait, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        done.set()


@pytest.fixture
async def http() -> AsyncIterator[int]:
    """A port that speaks HTTP."""

    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def declared(url: str) -> None:
    await declare_topology(url, design())


async def checked(url: str) -> None:
    await check_topology(url, design())


async def audited(url: str) -> None:
    await RabbitAudit(url, design(), QUICK).update(Books(AuditLimits(max_run_s=1, hold_s=1)))


async def subscribed(url: str) -> None:
    async with aclosing(subscribe(url, "#")) as events:
        await anext(events)


async def served(url: str) -> None:
    """Lets a broker try until it has failed three times, and returns its log."""
    backend = RabbitBackend(url)
    with structlog.testing.capture_logs() as logs:
        async with RabbitBroker(url, metrics=backend.metrics, topology=backend.topology, limits=QUICK) as broker:
            async with asyncio.timeout(60):
                while losses(backend) < 3:
                    await broker.ready()
                    await asyncio.sleep(0.01)
    (entry,) = (entry for entry in logs if entry["event"] == "broker_session_lost")
    raise BrokerUnavailable(f"{entry['cause']}: {entry['detail']}")


def losses(backend: RabbitBackend) -> float:
    (family,) = backend.metrics.session_losses.collect()
    return sum(sample.value for sample in family.samples if sample.name.endswith("_total"))


Speak = Callable[[str], Awaitable[None]]
everywhere = pytest.mark.parametrize("speak", [declared, checked, audited, subscribed, served])


async def refusal(speak: Speak, url: str) -> str:
    with pytest.raises(BrokerUnavailable) as caught:
        await speak(url)
    message = str(caught.value)
    assert "\n" not in message
    assert SECRET not in message
    return message


@everywhere
async def test_a_wrong_host_name(speak: Speak) -> None:
    message = await refusal(speak, f"amqp://guest:{SECRET}@no-such-host.invalid/")
    assert message.startswith("unreachable: the host no-such-host.invalid has no address")
    assert "COPYDESK_AMQP_URL" in message


@everywhere
async def test_a_closed_port(speak: Speak, unused_tcp_port: int) -> None:
    message = await refusal(speak, f"amqp://guest:{SECRET}@127.0.0.1:{unused_tcp_port}/")
    assert message.startswith(f"unreachable: nothing listens on 127.0.0.1:{unused_tcp_port}")


@everywhere
async def test_a_port_that_speaks_something_else(speak: Speak, http: int) -> None:
    message = await refusal(speak, f"amqp://guest:{SECRET}@127.0.0.1:{http}/")
    assert message.startswith(f"unreachable: 127.0.0.1:{http} closed the connection or sent no AMQP")


@pytest.mark.parametrize("speak", [declared, audited])
async def test_a_port_that_does_not_answer(speak: Speak, silent: int) -> None:
    message = await refusal(speak, f"amqp://guest:{SECRET}@127.0.0.1:{silent}/")
    assert message.startswith(f"unreachable: 127.0.0.1:{silent} does not answer within 5 s")


@everywhere
async def test_a_wrong_password(speak: Speak, rabbit_node: RabbitNode) -> None:
    message = await refusal(speak, str(URL(rabbit_node.url).with_password(SECRET)))
    assert message.startswith(
        f"credentials_refused: RabbitMQ at 127.0.0.1:{rabbit_node.port} does not know the user guest"
    )


@everywhere
async def test_a_virtual_host_that_does_not_exist(speak: Speak, rabbit_node: RabbitNode) -> None:
    message = await refusal(speak, f"{rabbit_node.url}nowhere")
    assert message.startswith("vhost_refused: RabbitMQ does not open the virtual host nowhere")
    assert "vhost nowhere not found" in message
    assert "rabbitmqctl add_vhost 'nowhere'" in message


@everywhere
async def test_a_virtual_host_that_the_user_may_not_use(speak: Speak, users: RabbitNode) -> None:
    message = await refusal(speak, str(URL(users.url).with_user("stranger").with_password(SECRET)))
    assert message.startswith("permission_refused: the user stranger may not use the virtual host /")
    assert "rabbitmqctl set_permissions -p '/' 'stranger' '.*' '.*' '.*'" in message


@everywhere
async def test_a_user_who_may_do_nothing(speak: Speak, users: RabbitNode, rabbit: RabbitBackend) -> None:
    await declare_topology(rabbit.url, rabbit.topology)
    message = await refusal(speak, str(URL(users.url).with_user("reader").with_password(SECRET)))
    assert message.startswith("permission_refused: ACCESS_REFUSED - ")
    assert "rabbitmqctl set_permissions -p '/' 'reader' '.*' '.*' '.*'" in message


@everywhere
async def test_tls_to_a_port_without(speak: Speak, rabbit_node: RabbitNode) -> None:
    message = await refusal(speak, f"amqps://guest:{SECRET}@127.0.0.1:{rabbit_node.port}/")
    assert message.startswith(f"tls_failed: no TLS with 127.0.0.1:{rabbit_node.port}")
    assert "use amqp:// " in message


@pytest.mark.parametrize("url", ["127.0.0.1:5672", "http://127.0.0.1:5672", "amqp://"])
async def test_a_subscriber_refuses_what_is_no_amqp_url(url: str) -> None:
    with pytest.raises(StartError, match="amqp://user:password@host:5672/vhost"):
        await subscribed(url)


def test_every_loss_at_the_start_is_tested_here() -> None:
    """The other losses happen to open sessions."""
    message = Path(__file__).read_text()
    at_start = list(SessionLoss)[: list(SessionLoss).index(SessionLoss.TOPOLOGY_MISMATCH)]
    assert [cause for cause in at_start if f'"{cause}: ' not in message] == []
