"""Finds, retries and drops dead letters in any store."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace
from operator import attrgetter
from typing import Protocol

from contract.broker import BrokerError
from contract.dead import DeadLetter, DeadLetterPage, Handled, NotRetryable, Wanted, next_run
from contract.job import Job


class HeldLetter(Protocol):
    """A dead letter that this process holds: no other process has it."""

    @property
    def letter(self) -> DeadLetter:
        """The letter, with its body."""

    async def revive(self, job: Job) -> bool:
        """Puts `job`, and removes the letter when that is durable. Returns False if the letter was gone already.

        Raises:
            BrokerError: not put, or not known to be put; the letter stays.
        """

    async def remove(self) -> bool:
        """Removes the letter. Returns False if it was gone already."""


class DeadLetterStore(Protocol):
    """Dead letters, opened for one scan. After the last batch, `complete` is True if the scan reached all of them."""

    complete: bool

    def batches(self) -> AsyncGenerator[Sequence[HeldLetter], None]:
        """Yields the letters that were there at the start, a few at a time, roughly in the order of their burial."""


async def find(store: DeadLetterStore, wanted: Wanted, *, bodies: bool) -> DeadLetterPage:
    """Returns the letters for which `wanted` is true; see `contract.broker.DeadLetters.dead`."""
    letters: list[DeadLetter] = []
    async with aclosing(store.batches()) as batches:
        async for batch in batches:
            chosen = (held.letter for held in batch if wanted(held.letter))
            letters += chosen if bodies else (replace(letter, body=None) for letter in chosen)
    # A queue may hold returned letters in another order. Each letter has its own time of burial.
    return DeadLetterPage(sorted(letters, key=attrgetter("buried_at")), store.complete)


async def retry(store: DeadLetterStore, wanted: Wanted) -> Handled:
    """Puts the next run of each letter for which `wanted` is true; see `contract.broker.DeadLetters.retry_dead`."""
    done = kept = 0
    async with aclosing(store.batches()) as batches:
        async for batch in batches:
            results = await _revive_all(held for held in batch if wanted(held.letter))
            done += results.count(True)
            kept += results.count(None)
            errors = [result for result in results if isinstance(result, BrokerError)]
            if errors and not done:
                raise errors[0]
            if errors:
                return Handled(done=done, kept=kept, complete=False)
    return Handled(done=done, kept=kept, complete=store.complete)


async def drop(store: DeadLetterStore, wanted: Wanted) -> Handled:
    """Removes each letter for which `wanted` is true; see `contract.broker.DeadLetters.drop_dead`."""
    done = 0
    async with aclosing(store.batches()) as batches:
        async for batch in batches:
            for held in batch:
                done += wanted(held.letter) and await held.remove()
    return Handled(done=done, complete=store.complete)


async def _revive_all(chosen: Iterable[HeldLetter]) -> list[bool | BrokerError | None]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_revive(held)) for held in chosen]
    return [task.result() for task in tasks]


async def _revive(held: HeldLetter) -> bool | BrokerError | None:
    """Returns True if the letter was revived, False if it was gone, None if it cannot be, or the broker's error."""
    try:
        return await held.revive(next_run(held.letter))
    except NotRetryable:
        return None
    except BrokerError as error:
        return error  # not raised: the others of the batch must be finished and counted
