"""One process from start to stop: the ops port, the roles, signals, and the time that stopping may take."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import structlog
from aiohttp import web

from runtime.errors import StartError

log = structlog.get_logger(__name__)

Role = Callable[[], Coroutine[Any, Any, None]]

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


async def run_roles(roles: Sequence[Role], stop: asyncio.Event, shutdown_timeout_s: float) -> bool:
    """Runs `roles` until they end after `stop`; returns whether they all did so in time.

    The first SIGTERM or SIGINT sets `stop`; from then the roles have `shutdown_timeout_s` seconds to finish what they
    hold. When that is over, or at a second signal, they are cancelled and give back what they hold.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(None) as limit, asyncio.TaskGroup() as group:
            with _signals(stop, hurry=lambda: limit.reschedule(loop.time())):
                tasks = [group.create_task(role()) for role in roles]
                await stop.wait()
                log.info("stopping", seconds=shutdown_timeout_s)
                limit.reschedule(loop.time() + shutdown_timeout_s)
                await asyncio.wait(tasks)
    except TimeoutError:
        log.warning("stopped_early", hint="what was in hand is given back to the broker")
        return False
    log.info("stopped")
    return True


@contextmanager
def _signals(stop: asyncio.Event, hurry: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def arrived() -> None:
        if stop.is_set():
            hurry()
        stop.set()

    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, arrived)
    try:
        yield
    finally:
        for number in _STOP_SIGNALS:
            loop.remove_signal_handler(number)


@asynccontextmanager
async def listening(
    app: web.Application, host: str, port: int, *, what: str, shutdown_timeout_s: float
) -> AsyncIterator[None]:
    """Serves `app` for as long as the context is open; leaving it lets running requests end.

    Raises:
        StartError: the address cannot be listened on.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=shutdown_timeout_s, handle_signals=False)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise StartError(f"cannot listen on {host}:{port}: {error.strerror}") from None
        log.info("listening", what=what, url=_url(host, runner.addresses))
        yield
    finally:
        await runner.cleanup()


def _url(host: str, addresses: Sequence[Any]) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{addresses[0][1]}"
