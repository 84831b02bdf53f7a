import asyncio
import os
import signal

import pytest
from aiohttp import ClientSession, web
from prometheus_client import CollectorRegistry

from contract.labels import Listener
from contract.metrics import Metrics
from runtime.errors import StartError
from runtime.process import ListenAddress, listening, run_roles
from service.http.connections import ConnectionLimits


def address(port: int) -> ListenAddress:
    return ListenAddress(Listener.API, "127.0.0.1", port, ConnectionLimits())


def tell_self_to_stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


async def test_the_first_signal_stops_and_roles_finish() -> None:
    stop, finished = asyncio.Event(), asyncio.Event()

    async def role() -> None:
        tell_self_to_stop()
        await stop.wait()
        finished.set()

    assert await run_roles([role], stop, shutdown_timeout_s=5)
    assert finished.is_set()


async def test_a_second_signal_stops_at_once() -> None:
    stop, cancelled = asyncio.Event(), asyncio.Event()

    async def role() -> None:
        tell_self_to_stop()
        await stop.wait()
        tell_self_to_stop()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    assert not await asyncio.wait_for(run_roles([role], stop, shutdown_timeout_s=60), 5)
    assert cancelled.is_set()


async def test_a_role_that_does_not_finish_in_time_is_cancelled() -> None:
    stop = asyncio.Event()

    async def role() -> None:
        stop.set()
        await asyncio.Event().wait()

    assert not await run_roles([role], stop, shutdown_timeout_s=0.05)


async def test_a_role_that_fails_ends_the_others() -> None:
    async def fail() -> None:
        raise StartError("no")

    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.RaisesGroup(StartError):
        await asyncio.wait_for(run_roles([fail, wait], asyncio.Event(), shutdown_timeout_s=60), 5)


async def test_signals_are_given_back() -> None:
    stop = asyncio.Event()
    stop.set()

    async def role() -> None:
        return

    await run_roles([role], stop, shutdown_timeout_s=1)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


async def test_an_address_in_use_is_reported(unused_tcp_port: int) -> None:
    app = web.Application()
    async with listening(app, address(unused_tcp_port), Metrics(CollectorRegistry()), shutdown_timeout_s=1):
        with pytest.raises(StartError, match=str(unused_tcp_port)):
            async with listening(app, address(unused_tcp_port), Metrics(CollectorRegistry()), shutdown_timeout_s=1):
                pass


async def test_a_request_that_has_begun_is_answered(unused_tcp_port: int) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        begun.set()
        await go_on.wait()
        return web.Response(text="done")

    app = web.Application()
    app.router.add_get("/", slow)

    async def ask() -> str:
        async with ClientSession() as session, session.get(f"http://127.0.0.1:{unused_tcp_port}/") as response:
            return await response.text()

    async with (
        asyncio.TaskGroup() as group,
        listening(app, address(unused_tcp_port), Metrics(CollectorRegistry()), shutdown_timeout_s=10),
    ):
        answer = group.create_task(ask())
        await begun.wait()
        asyncio.get_running_loop().call_later(0.05, go_on.set)
    assert answer.result() == "done"
