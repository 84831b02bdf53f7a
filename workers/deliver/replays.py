"""Takes this process's share of the replays that run, and runs them."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from workers.deliver.assignment import holder_of
from workers.deliver.replaying import ReplayContext, Replaying


@dataclass(frozen=True, slots=True)
class _Run:
    """A replay at work. `fence`: as this process has it."""

    fence: int
    task: asyncio.Task[None]


class Replays:
    """The replays of the process `name`."""

    def __init__(self, name: str, context: ReplayContext) -> None:
        self._name = name
        self._context = context
        self._runs: dict[str, _Run] = {}

    async def share(self, members: Collection[str], group: asyncio.TaskGroup) -> None:
        """Runs what is this process's share among `members`. What is not its share any more it gives back.

        Raises:
            LedgerUnavailable: the ledger is away.
        """
        self._runs = {replay_id: run for replay_id, run in self._runs.items() if not run.task.done()}
        running = {held.replay.id: held for held in await self._context.store.running()}
        for replay_id in [*self._runs]:
            held = running.get(replay_id)
            if held is None or held.fence != self._runs[replay_id].fence or not self._is_mine(replay_id, members):
                await self._drop(replay_id)
        for replay_id, held in running.items():
            if not self._is_mine(replay_id, members):
                if held.holder == self._name:
                    await self._context.store.give_back_replay(replay_id, self._name)
                continue
            is_free = held.holder in {None, self._name} or held.holder not in members
            if not is_free or replay_id in self._runs or len(self._runs) >= self._context.limits.replays:
                continue
            replay = await self._context.store.take_replay(held, self._name)
            if replay is not None:
                task = group.create_task(Replaying(replay, held.fence + 1, self._context).run())
                self._runs[replay_id] = _Run(held.fence + 1, task)
        self._context.metrics.replays.set(len(self._runs))

    def _is_mine(self, replay_id: str, members: Collection[str]) -> bool:
        return holder_of(replay_id, members) == self._name

    async def end(self) -> None:
        """Waits until none runs: the process stops, which they know."""
        for run in self._runs.values():
            with suppress(asyncio.CancelledError):
                await run.task

    async def _drop(self, replay_id: str) -> None:
        task = self._runs.pop(replay_id).task
        task.cancel()
        await asyncio.wait([task])
