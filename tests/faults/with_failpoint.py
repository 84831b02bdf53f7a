"""Copydesk that kills itself at one point, wired from the product's own parts.

Usage: python -m tests.faults.with_failpoint POINT MARKER COPYDESK-ARGUMENTS...

POINT is a name in `POINTS`. The process dies by SIGKILL when it reaches the point for the third time, or, if POINT ends
in `@WORD`, whenever a document contains WORD. MARKER is a file that is made at the first death; if it exists, a POINT
without a WORD does not kill any more.
"""

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from functools import wraps
from pathlib import Path
from typing import Any

from aio_pika.message import IncomingMessage

from runtime import cli, working
from runtime.brokers.rabbit.broker import RabbitBroker
from runtime.brokers.rabbit.executor import VerdictExecutor
from runtime.brokers.rabbit.fanout import Fanout
from tests.faults import hostile
from workers.children.pool import ParserPool
from workers.fetch import Fetcher

AT_CALL = 3

POINTS: dict[str, tuple[type, str, str]] = {
    "before_fetch": (Fetcher, "fetch", "before"),
    "after_fetch": (Fetcher, "fetch", "after"),
    "before_extract": (ParserPool, "run", "before"),
    "after_extract": (ParserPool, "run", "after"),
    "before_publish": (VerdictExecutor, "execute", "before"),
    "between_log_and_subscribers": (Fanout, "offer", "before"),
    "after_publish": (VerdictExecutor, "execute", "after"),
    "after_ack": (IncomingMessage, "ack", "after"),
    "after_confirm": (RabbitBroker, "put", "after"),
    "after_confirm_of_many": (RabbitBroker, "put_many", "after"),
}


class Failpoint:
    """The point at which the process dies, and the condition."""

    def __init__(self, point: str, marker: Path) -> None:
        self._point, _, self._word = point.partition("@")
        self._marker = marker
        self._calls = 0

    def arm(self) -> None:
        """Wraps the method at the point."""
        owner, name, when = POINTS[self._point]
        setattr(owner, name, self._wrapped(getattr(owner, name), when))

    def _wrapped(self, method: Callable[..., Awaitable[Any]], when: str) -> Callable[..., Awaitable[Any]]:
        @wraps(method)
        async def wrapper(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever the method takes
            if when == "before":
                self._die_if_due(arguments)
            result = await method(*arguments, **options)
            if when == "after":
                self._die_if_due(arguments)
            return result

        return wrapper

    def _die_if_due(self, arguments: tuple[object, ...]) -> None:
        self._calls += 1
        if self._word in repr(arguments) if self._word else self._calls >= AT_CALL and not self._marker.exists():
            self._marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Runs `copydesk` with the rest of the command line."""
    point, marker, *rest = sys.argv[1:]
    if point == "hostile":
        working.extract_article = hostile.extract_article  # type: ignore[attr-defined] # imported there, not exported
    else:
        Failpoint(point, Path(marker)).arm()
    sys.argv[1:] = rest
    cli.main()


if __name__ == "__main__":
    main()
