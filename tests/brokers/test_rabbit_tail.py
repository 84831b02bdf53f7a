"""`copydesk tail --amqp --filter` shows the events that the filter chooses, from a real RabbitMQ."""

import asyncio
import json
from contextlib import aclosing

import pytest

from contract.broker import Delivery
from contract.codec import decode_job
from contract.verdicts import Publish, Verdict
from runtime.cli.tail import _subscribe
from tests.brokers import samples
from tests.brokers.rabbit_backend import RabbitBackend
from tests.brokers.suite import Recorder, consume_until, put_all

pytestmark = pytest.mark.rabbit

HOSTS = ("a.example.com", "b.example.com")


def decide(delivery: Delivery) -> Verdict:
    """Decides that the document is an article of the host that its text names."""
    job = decode_job(delivery.body)
    return Publish(samples.processed(job, host=job.content or ""))


@pytest.mark.parametrize(("wanted", "hosts"), [("host = b.example.com", {"b.example.com"}), (None, set(HOSTS))])
async def test_it_shows_what_the_filter_chooses(rabbit: RabbitBackend, wanted: str | None, hosts: set[str]) -> None:
    shown: list[str] = []

    async def show() -> None:
        async with aclosing(_subscribe(rabbit.url, "processed.#", wanted)) as events:
            async for event in events:
                shown.append(json.loads(event)["data"]["host"])
                if len(shown) == 4:
                    return

    async with rabbit.broker() as broker:
        await put_all(broker, [samples.job(content=HOSTS[0])])
        await consume_until(broker, Recorder(1, decide))  # the exchange is there
        showing = asyncio.create_task(show())
        while not showing.done():  # until it has subscribed nothing comes
            await put_all(broker, [samples.job(content=host) for host in HOSTS])
            await consume_until(broker, Recorder(2, decide))
        await showing
    assert set(shown) == hosts
