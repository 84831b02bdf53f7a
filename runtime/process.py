"""Runs one process from start to stop: its ports, its roles, signals, and the time limit for stopping."""

import asyncio
import resource
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web

from contract.labels import Listener
from contract.metrics import Metrics
from runtime.errors import StartError
from service.http.connections import ConnectionLimits, Connections
from service.http.protocol import Build, built_by

log = structlog.get_logger(__name__)

Role = Callable[[], Coroutine[Any, Any, None]]
StartingRole = Callable[[Callable[[], None]], Coroutine[Any, Any, None]]  # calls its argument when it has started

_BACKLOG = 512  # connections that wait for accept(2); chosen large: if it is full, a client's TCP retries after 1 s
_OWN_DESCRIPTORS = 256  # chosen with a margin: files, pipes to children, connections to the broker
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


async def run_roles(roles: Sequence[Role], stop: asyncio.Event, shutdown_timeout_s: float) -> bool:
    """Runs `roles` until they end after `stop`. Returns True if all of them ended in time.

    The first SIGTERM or SIGINT sets `stop`. Then the roles have `shutdown_timeout_s` seconds to finish their work in
    progress. After that time, or at a second signal, they are cancelled and give their work back.
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
        log.warning("stopped_early", hint="documents in progress are returned to the broker")
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


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Where an application listens, and the limits of its connections.

    `shared`: other processes listen on the same port, and the kernel divides the connections. With `unix` it listens on
    the Unix socket of this name instead.
    """

    listener: Listener
    host: str
    port: int
    limits: ConnectionLimits
    shared: bool = False
    unix: str | None = None


@asynccontextmanager
async def listening(
    app: web.Application, address: ListenAddress, metrics: Metrics, *, shutdown_timeout_s: float
) -> AsyncIterator[None]:
    """Serves `app` while the context is open. On exit, running requests may finish.

    Raises:
        StartError: it cannot listen on the address.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=shutdown_timeout_s, handle_signals=False)
    await runner.setup()
    try:
        assert runner.server is not None  # noqa: S101 - aiohttp sets it in setup
        build = built_by(runner.server, Connections(address.limits, metrics, address.listener), address.limits, metrics)
        listener = await _listen(build, address)
        if address.unix is None:
            log.info("listening", what=address.listener, url=_url(address.host, listener.sockets[0].getsockname()))
        try:
            yield
        finally:
            listener.close()
    finally:
        await runner.cleanup()


async def _listen(build: Build, address: ListenAddress) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    try:
        if address.unix is not None:
            return await loop.create_unix_server(build, address.unix, backlog=_BACKLOG)
        reuse = address.shared or None
        return await loop.create_server(build, address.host, address.port, backlog=_BACKLOG, reuse_port=reuse)
    except OSError as error:
        raise StartError(f"cannot listen on {address.host}:{address.port}: {error.strerror}") from None


def descriptors_for(connections: int) -> int:
    """Returns how many open files a process needs for `connections` sockets and its own files."""
    return connections + _BACKLOG + _OWN_DESCRIPTORS


def grant_descriptors(connections: int) -> None:
    """Raises the limit of open files, as far as allowed, to hold `connections` sockets and the process's own files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = descriptors_for(connections)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    if hard < wanted:
        log.warning("few_descriptors", wanted=wanted, allowed=hard, hint="raise ulimit -n, or lower the connections")


def _url(host: str, name: Sequence[Any]) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{name[1]}"
