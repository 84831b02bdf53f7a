"""A webhook hears where in a trace its event was made, at each attempt."""

from dataclasses import replace

import pytest
from aiohttp import web

from contract.codec import encode
from contract.events import ProcessedEvent
from contract.tracing import TraceContext
from contract.webhooks import Payload
from tests.brokers import samples
from tests.workers.deliver.conftest import QUICK, DeliverSystem, OpenReceiver, Posted
from workers.deliver.traces import trace_in


def event(trace: TraceContext | None) -> ProcessedEvent:
    return samples.processed(replace(samples.job(), trace=trace))


@pytest.mark.parametrize("payload", list(Payload))
async def test_every_attempt_hands_on_the_trace_of_the_event(
    system: DeliverSystem, open_receiver: OpenReceiver, payload: Payload
) -> None:
    answers = iter([500])

    async def answer(_: Posted) -> web.Response:
        return web.Response(status=next(answers, 204))

    receiver = await open_receiver(answer)
    await system.hook(receiver, payload=payload)
    async with system.delivering(replace(QUICK, delays_s=(0.2,) * 10)):
        system.log.write(event(samples.TRACE))
        await receiver.until(2)
    for posted in receiver.got:
        headers = {name.lower(): value for name, value in posted.headers.items()}
        assert {name: headers.get(name) for name in ("traceparent", "tracestate")} == samples.TRACE.headers()


async def test_without_a_trace_there_is_no_header(system: DeliverSystem, open_receiver: OpenReceiver) -> None:
    receiver = await open_receiver()
    await system.hook(receiver)
    async with system.delivering():
        system.log.write(event(None))
        await receiver.until(1)
    assert not {name.lower() for name in receiver.got[0].headers} & {"traceparent", "tracestate"}


@pytest.mark.parametrize(
    ("body", "trace"),
    [
        (encode(event(samples.TRACE)), samples.TRACE),
        (encode(event(None)), None),
        (b'{"traceparent": "no"', None),  # another program may publish to the log
        (b'["traceparent"]', None),
        (b'{"traceparent": "00-1-2-01\\r\\nX-Other: 1"}', None),
        (b'{"data": {"text": "\\"traceparent\\": \\"x\\""}}', None),
    ],
)
def test_only_what_an_event_itself_states_is_its_trace(body: bytes, trace: TraceContext | None) -> None:
    assert trace_in(body) == trace
