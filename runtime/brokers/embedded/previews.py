"""Previews, in memory: whoever asks waits in the same process, so that nothing need outlive it."""

import asyncio
from collections import deque
from contextlib import suppress

from contract.broker import BrokerFull, BrokerUnavailable, Delivery, NotTaken
from contract.codec import MAX_PREVIEW_BYTES, encode_within
from contract.job import Job
from contract.topology import PREVIEWS_AT_MOST
from runtime.brokers.notifier import Notifier


class Preview:
    """One preview: what a worker is handed, and the event that it answers with."""

    def __init__(self, job: Job) -> None:
        self.delivery = Delivery(body=encode_within(MAX_PREVIEW_BYTES, job), message_id=job.id, preview=True)
        self.taken = asyncio.Event()
        self.answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def answer(self, event: bytes | None) -> None:
        """Hands the event to whoever asked, if it still waits. None: there is none, as the worker failed or stops."""
        if self.answered.done():
            return
        if event is None:
            self.answered.set_exception(BrokerUnavailable("the worker that had the preview ended without an answer"))
        else:
            self.answered.set_result(event)


class Previews:
    """The previews that wait for a worker, first come, first served. `changed` tells when there is one more."""

    def __init__(self, changed: Notifier, wait_s: float) -> None:
        self._wait_s = wait_s
        self._changed = changed
        self._waiting: deque[Preview] = deque()

    async def ask(self, job: Job) -> bytes:
        """See `contract.broker.Previews.preview`."""
        if len(self._waiting) >= PREVIEWS_AT_MOST:
            raise BrokerFull(f"{PREVIEWS_AT_MOST} previews wait")
        preview = Preview(job)
        self._waiting.append(preview)
        self._changed.notify_all()
        try:
            async with asyncio.timeout(self._wait_s):
                await preview.taken.wait()
        except TimeoutError:
            raise NotTaken(f"not taken within {self._wait_s:g} s") from None
        finally:
            with suppress(ValueError):  # a worker has it
                self._waiting.remove(preview)
        return await preview.answered

    def take(self, most: int) -> list[Preview]:
        """Hands over up to `most` previews."""
        taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        for preview in taken:
            preview.taken.set()
        return taken
