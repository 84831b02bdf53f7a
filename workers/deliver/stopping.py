"""Waiting, unless the process stops."""

import asyncio
from contextlib import suppress


class Stopping(Exception):
    """The process stops: nothing new is begun."""


def check(stopping: asyncio.Event) -> None:
    """Returns unless the process stops.

    Raises:
        Stopping: it does.
    """
    if stopping.is_set():
        raise Stopping


async def pause(stopping: asyncio.Event, seconds: float) -> None:
    """Waits, unless the process stops.

    Raises:
        Stopping: it does.
    """
    if seconds > 0:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stopping.wait()
    check(stopping)
