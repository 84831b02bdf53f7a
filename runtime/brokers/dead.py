"""What is done with dead letters, whatever store they lie on."""

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
    """A dead letter in hand: nobody else has it."""

    @property
    def letter(self) -> DeadLetter:
        """The letter, with its body."""

    async def revive(self, job: Job) -> bool:
        """Puts `job`, and takes the letter away when that is durable. False: it was gone already.

        Raises:
            BrokerError: not put, or not known to be; the letter stays.
        """

    async def remove(self) -> bool:
        """Takes the letter away. False: it was gone already."""


class DeadLetterStore(Protocol):
    """Dead letters, opened for one look. `complete` tells, after the last batch, whether that was all."""

    complete: bool

    def batches(self) -> AsyncGenerator[Sequence[HeldLetter], None]:
        """Yields the letters that lay there at the beginning, a few at a time, about in the order of their burial."""


async def find(store: DeadLetterStore, wanted: Wanted, *, bodies: bool) -> DeadLetterPage:
    """Returns the letters that are `wanted`; see `contract.broker.DeadLetters.dead`."""
    letters: list[DeadLetter] = []
    async with aclosing(store.batches()) as batches:
        async for batch in batches:
            chosen = (held.letter for held in batch if wanted(held.letter))
            letters += chosen if bodies else (replace(letter, body=None) for letter in chosen)
    # A queue that letters were given back to may have them in another order; how long each lies there it says itself.
    return DeadLetterPage(sorted(letters, key=attrgetter("buried_at")), store.complete)


async def retry(store: DeadLetterStore, wanted: Wanted) -> Handled:
    """Puts the next runs of those that are `wanted`; see `contract.broker.DeadLetters.retry_dead`."""
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
    """Takes away those that are `wanted`; see `contract.broker.DeadLetters.drop_dead`."""
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
    """Returns whether the letter was revived, None where it cannot be, or what kept the broker from it."""
    try:
        return await held.revive(next_run(held.letter))
    except NotRetryable:
        return None
    except BrokerError as error:
        return error  # not raised: the others of the batch are to be finished, and counted
