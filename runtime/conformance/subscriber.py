"""The subscriber under test as a program that is started here: what it prints, and signals to it."""

import asyncio
import os
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

_LONGEST_LINE_BYTES = 32 * 1024 * 1024  # over twice the largest event, which a subscriber may print whole
_ID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Subscriber:
    """Runs a command, in which `{url}` stands for the URL that it is to connect to. Made by `subscriber`.

    `lines` counts the lines that name each document, over all starts.
    """

    def __init__(self, command: Sequence[str], url: str, group: asyncio.TaskGroup) -> None:
        self._command = [word.replace("{url}", url) for word in command]
        self._group = group
        self._process: asyncio.subprocess.Process | None = None
        self._news = asyncio.Condition()
        self.lines: Counter[str] = Counter()

    async def start(self) -> None:
        """Starts it.

        Raises:
            OSError: there is no such program.
        """
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdout=asyncio.subprocess.PIPE, start_new_session=True, limit=_LONGEST_LINE_BYTES
        )
        self._group.create_task(self._read(self._process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            return
        async for line in process.stdout:
            self.lines.update({found.decode().lower() for found in _ID.findall(line)})
            await self._tell()
        await process.wait()
        await self._tell()

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return None if self._process is None else self._process.returncode

    async def until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Waits until `holds`, the program ends, or so many seconds are over. Returns what holds then."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._news:
                await self._news.wait_for(lambda: holds() or self.exit_code is not None)
        return holds()

    async def until_quiet(self, seconds: float) -> None:
        """Waits until it has printed nothing for so many seconds."""
        while await self.until(partial(self._has_printed, self.lines.total()), seconds):
            pass

    def _has_printed(self, before: int) -> bool:
        return self.lines.total() > before

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to it and all that it started."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    async def kill(self) -> None:
        """Ends it at once."""
        self.signal(signal.SIGKILL)
        if self._process is not None:
            await self._process.wait()


@asynccontextmanager
async def subscriber(command: Sequence[str], url: str) -> AsyncIterator[Subscriber]:
    """Yields a subscriber that is not started yet, and ends it."""
    async with asyncio.TaskGroup() as group:
        one = Subscriber(command, url, group)
        try:
            yield one
        finally:
            await one.kill()
