"""Several processes that serve the API on one port, and the process that starts them and starts them again.

Each process listens on the port itself (SO_REUSEPORT, socket(7)), and the kernel divides the connections among them.
The supervisor holds the port, answers on the ops port for all of them, and passes the signal to stop on.
"""

import asyncio
import ctypes
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from multiprocessing.context import SpawnProcess
from uuid import uuid4

import structlog

from contract.labels import ProcessRole
from runtime import logs, wiring
from runtime.cli import streams
from runtime.cli.exits import Exit
from runtime.errors import StartError
from runtime.ports import ops_port
from runtime.process import run_roles
from runtime.scrapes import Scraped, ready_states, scrape
from runtime.settings import Settings

log = structlog.get_logger(__name__)

_BACKOFF_INITIAL_S = 0.5  # chosen: a process that crashed once is back before clients give up
_BACKOFF_MAX_S = 30.0  # chosen: one that cannot run costs little, and is back soon after its cause is gone
_STEADY_S = 60.0  # chosen: who ran for so long starts with the shortest pause again
_LAST_WORDS_S = 5.0  # chosen: for processes that stop early to give back what they hold, before they are killed
_PR_SET_PDEATHSIG = 1  # prctl(2)
_SPAWN = multiprocessing.get_context("spawn")  # a fork would copy the supervisor's event loop and connections


async def supervise(settings: Settings) -> Exit:
    """Runs `settings.processes` processes of the role `serve` until a signal stops them. Returns the exit code.

    Raises:
        StartError: an address is in use.
    """
    stop = asyncio.Event()
    metrics = wiring.build_metrics(ProcessRole.SERVE)
    with _reserved(settings.host, settings.port) as port:
        members = [Member(number, settings.model_copy(update={"port": port})) for number in range(settings.processes)]

        async def readiness() -> dict[str, bool]:
            return {"running": not stop.is_set()} | await ready_states([member.ops for member in members])

        async def gather() -> Scraped:
            return await scrape({member.name: member.ops for member in members}, metrics.registry)

        async with ops_port(settings, metrics, readiness, gather):
            roles = [partial(member.run, stop) for member in members]
            finished = await run_roles(roles, stop, settings.shutdown_timeout_s + _LAST_WORDS_S)
    return _exit_code([member.exit_code for member in members], finished=finished)


class Member:
    """One place among the processes: whoever runs in it has the same number in logs and metrics."""

    def __init__(self, number: int, settings: Settings) -> None:
        self.name = str(number)
        self.ops = f"\0copydesk-{uuid4()}"  # an abstract Unix socket (unix(7)): nothing of it is left on the disk
        self.exit_code: int | None = None
        self._settings = settings

    async def run(self, stop: asyncio.Event) -> None:
        """Keeps a process running until `stop` is set. Cancelled, it hurries the process."""
        loop, pause_s = asyncio.get_running_loop(), _BACKOFF_INITIAL_S
        while not stop.is_set():
            began = loop.time()
            await self._run_once(stop)
            if stop.is_set():
                return
            if self.exit_code == Exit.USAGE:  # starting again does not help, and the process has said why
                stop.set()
                return
            pause_s = _BACKOFF_INITIAL_S if loop.time() - began > _STEADY_S else pause_s
            log.error("process_ended", process=self.name, exit_code=self.exit_code, again_in_s=pause_s)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause_s)
            pause_s = min(2 * pause_s, _BACKOFF_MAX_S)

    async def _run_once(self, stop: asyncio.Event) -> None:
        process = _SPAWN.Process(target=_serve, args=(self.name, self._settings, self.ops))
        process.start()
        try:
            async with asyncio.TaskGroup() as group:
                ended = group.create_task(_ended(process))
                stopping = group.create_task(_terminate(process, stop))
                ended.add_done_callback(lambda _: stopping.cancel())
        except asyncio.CancelledError:
            await _hurry(process)
            raise
        finally:
            process.join()
            self.exit_code = process.exitcode


async def _ended(process: SpawnProcess) -> None:
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    loop.add_reader(process.sentinel, ended.set_result, None)
    try:
        await ended
    finally:
        loop.remove_reader(process.sentinel)


async def _terminate(process: SpawnProcess, stop: asyncio.Event) -> None:
    await stop.wait()
    process.terminate()


async def _hurry(process: SpawnProcess) -> None:
    """Signals a second time, at which a process stops early; kills one that does not."""
    process.terminate()
    try:
        async with asyncio.timeout(_LAST_WORDS_S):
            await _ended(process)
    except TimeoutError:
        process.kill()


def _exit_code(codes: Sequence[int | None], *, finished: bool) -> Exit:
    if Exit.USAGE in codes:
        return Exit.USAGE
    return Exit.OK if finished and Exit.STOPPED_EARLY not in codes else Exit.STOPPED_EARLY


def _serve(name: str, settings: Settings, ops: str) -> None:
    """Runs in each process."""
    os.setpgid(0, 0)  # Ctrl-C reaches the supervisor alone, which passes it on: two signals mean haste
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)  # when the supervisor is killed
    streams.guard()
    logs.configure(settings)
    structlog.contextvars.bind_contextvars(process=name)
    try:
        finished = asyncio.run(wiring.run(settings, serve=True, ops_socket=ops))
    except StartError as error:
        streams.tell(f"copydesk: {error}")
        sys.exit(Exit.USAGE)
    sys.exit(Exit.OK if finished else Exit.STOPPED_EARLY)


@contextmanager
def _reserved(host: str, port: int) -> Iterator[int]:
    """Holds a port for the processes to listen on, and yields its number.

    Raises:
        StartError: somebody listens there.
    """
    with ExitStack() as stack:
        try:
            for family, kind, protocol, _, address in socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            ):
                # Without SO_REUSEPORT first: with it, this would also succeed beside other processes that share theirs.
                _bound(family, kind, protocol, (address[0], port, *address[2:]), shared=False).close()
                held = stack.enter_context(
                    _bound(family, kind, protocol, (address[0], port, *address[2:]), shared=True)
                )
                port = held.getsockname()[1]
        except OSError as error:
            raise StartError(f"cannot listen on {host}:{port}: {error.strerror}") from None
        yield port


def _bound(family: int, kind: int, protocol: int, address: tuple[object, ...], *, shared: bool) -> socket.socket:
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT if shared else socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound
