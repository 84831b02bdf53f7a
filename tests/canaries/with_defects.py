"""Copydesk with defects that a document asks for: `defect:put` in its text, say.

Each fails with the document in a variable and in a message, in another place: where a request is answered, in a task
that nobody waits for, in a callback, in a thread, in a library, in a worker, in a parser child, in the process itself.

Usage: python -m tests.canaries.with_defects COPYDESK-ARGUMENTS...
"""

import asyncio
import gc
import logging
import threading
import warnings
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from typing import Any

from contract.broker import Delivery
from contract.job import Job
from runtime import cli, wiring, working
from runtime.brokers.embedded import EmbeddedBroker
from runtime.brokers.rabbit import RabbitBroker
from runtime.process import Role, run_roles
from tests.canaries import child
from tests.canaries.child import ASK
from workers.worker import Worker


def fail(secret: str) -> None:
    raise ValueError(secret)


async def fail_later(secret: str) -> None:
    fail(secret)


async def forgotten(secret: str) -> None:
    task = asyncio.create_task(fail_later(secret), name=secret)
    await asyncio.wait([task])
    del task
    gc.collect()


def library(secret: str) -> None:
    try:
        fail(secret)
    except ValueError:
        logging.getLogger("lib").exception("cannot read %s", secret)
        logging.getLogger("lib").warning(secret)


def thread(secret: str) -> None:
    failing = threading.Thread(target=fail, args=[secret], name=secret)
    failing.start()
    failing.join()


def warning(secret: str) -> None:
    warnings.simplefilter("always")
    warnings.warn(secret, stacklevel=1)


class Crash:
    """A role that ends the process when it is given the reason."""

    def __init__(self) -> None:
        self._told = asyncio.Event()
        self._why = ""

    def tell(self, why: str) -> None:
        self._why = why
        self._told.set()

    async def __call__(self) -> None:
        await self._told.wait()
        raise RuntimeError(self._why)


crash = Crash()


async def go_wrong(text: str) -> None:
    """Does what `text` asks for, in this process."""
    if f"{ASK}task" in text:
        await forgotten(text)
    if f"{ASK}callback" in text:
        asyncio.get_running_loop().call_soon(fail, text)
    if f"{ASK}library" in text:
        library(text)
    if f"{ASK}thread" in text:
        thread(text)
    if f"{ASK}warning" in text:
        warning(text)
    if f"{ASK}crash" in text:
        crash.tell(text)


def put_badly(put: Callable[[Any, Job], Awaitable[None]]) -> Callable[[Any, Job], Awaitable[None]]:
    @wraps(put)
    async def wrapper(self: object, job: Job) -> None:
        text = str(job.content)
        await go_wrong(text)
        if f"{ASK}put" in text:
            raise RuntimeError(f"cannot put {job!r}")
        await put(self, job)

    return wrapper


def arm() -> None:
    """Puts the defects in."""
    for broker in (EmbeddedBroker, RabbitBroker):
        broker.put = put_badly(broker.put)  # type: ignore[assignment, method-assign]
    decide = Worker.handle

    @wraps(decide)
    async def handle(self: Worker, delivery: Delivery) -> Any:  # noqa: ANN401 - a verdict
        text = delivery.body.decode(errors="replace")
        await go_wrong(text.replace(f"{ASK}work-", ASK))
        if f"{ASK}handle" in text:
            raise RuntimeError(text)
        return await decide(self, delivery)

    async def run(roles: Sequence[Role], stop: asyncio.Event, shutdown_timeout_s: float) -> bool:
        return await run_roles([*roles, crash], stop, shutdown_timeout_s)

    Worker.handle = handle  # type: ignore[method-assign]
    wiring.run_roles = run  # type: ignore[attr-defined] # imported there, not exported
    working.extract_article = child.extract_article  # type: ignore[attr-defined] # the same


def main() -> None:
    """Runs `copydesk` with the command line."""
    arm()
    cli.main()


if __name__ == "__main__":
    main()
