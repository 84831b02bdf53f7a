"""One scrape for several processes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import uuid4

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from contract.labels import Listener, ProcessRole
from contract.metrics import Metrics
from runtime.ops import build_ops_app
from runtime.process import ListenAddress, listening
from runtime.scrapes import ready_states, scrape
from runtime.wiring import build_metrics
from service.http.connections import ConnectionLimits
from service.http.hosts import Hosts


@asynccontextmanager
async def process(metrics: Metrics, states: dict[str, bool]) -> AsyncIterator[str]:
    """Serves the ops socket of a process in `states`, and yields its name."""

    async def readiness() -> dict[str, bool]:
        return states

    socket = f"\0copydesk-test-{uuid4()}"
    address = ListenAddress(Listener.OPS, "", 0, ConnectionLimits(), unix=socket)
    app = build_ops_app(metrics, readiness, Hosts())
    async with listening(app, address, metrics, shutdown_timeout_s=1):
        yield socket


def told(registry: CollectorRegistry) -> dict[tuple[str, str], float]:
    """Returns the values of a scrape, by name and process."""
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {(s.name, s.labels["process"]): s.value for family in families for s in family.samples}


async def scraped(sockets: dict[str, str], own: CollectorRegistry) -> dict[tuple[str, str], float]:
    registry = CollectorRegistry()
    registry.register(await scrape(sockets, own))
    return told(registry)


async def test_each_series_says_which_process_it_is_of() -> None:
    async with AsyncExitStack() as stack:
        sockets = {}
        for name, count in (("0", 3), ("1", 4)):
            metrics = build_metrics(ProcessRole.SERVE)
            metrics.accepted.labels("text", "bulk").inc(count)
            metrics.request_seconds.labels("POST", "/v1/documents", "202").observe(0.1)
            sockets[name] = await stack.enter_async_context(process(metrics, {}))
        values = await scraped(sockets, build_metrics(ProcessRole.SERVE).registry)
    assert {name: value for name, value in values.items() if name[0] == "copydesk_accepted_total"} == {
        ("copydesk_accepted_total", "0"): 3,
        ("copydesk_accepted_total", "1"): 4,
    }
    assert values["copydesk_request_seconds_count", "0"] == values["copydesk_request_seconds_count", "1"] == 1
    assert {name for family, name in values if family == "copydesk_build_info"} == {"supervisor", "0", "1"}


async def test_a_process_that_does_not_answer_is_left_out() -> None:
    metrics = build_metrics(ProcessRole.SERVE)
    async with process(metrics, {}) as socket:
        values = await scraped({"0": socket, "1": "\0copydesk-nobody"}, metrics.registry)
    assert {name for _, name in values} == {"supervisor", "0"}


async def test_ready_is_what_all_that_listen_are() -> None:
    fine, lost = {"api": True, "broker": True}, {"api": True, "broker": False}
    starting = {"api": False, "broker": False}
    for states, expected in (
        ([fine, fine], {"api": True, "broker": True}),
        ([fine, lost], {"api": True, "broker": False}),
        ([fine, starting], {"api": True, "broker": True}),
        ([starting, starting], {"api": False}),
        ([], {"api": False}),
    ):
        async with AsyncExitStack() as stack:
            served = [process(build_metrics(ProcessRole.SERVE), each) for each in states]
            sockets = await asyncio.gather(*(stack.enter_async_context(each) for each in served))
            assert await ready_states([*sockets, "\0copydesk-nobody"]) == expected


async def test_exemplars_name_traces_in_the_scrape_of_all_processes() -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    metrics, registry = build_metrics(ProcessRole.SERVE), CollectorRegistry()
    metrics.request_seconds.labels("POST", "/v1/documents", "202").observe(0.1, {"trace_id": trace})
    async with process(metrics, {}) as socket:
        registry.register(await scrape({"0": socket}, build_metrics(ProcessRole.SERVE).registry))
    lines = openmetrics.generate_latest(registry).decode().splitlines()
    (line,) = (line for line in lines if trace in line)
    assert line.startswith('copydesk_request_seconds_bucket{le="0.1",method="POST",process="0"')
    assert f'# {{trace_id="{trace}"}} 0.1 ' in line
    assert trace not in generate_latest(registry).decode()  # the older format has none
