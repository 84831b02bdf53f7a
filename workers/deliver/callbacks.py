"""Posts the events of documents to the URLs that came with them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from contract.callbacks import BEGINS_WITHIN, Callback, CallbackProgress, CallbackStore, callback_secret
from contract.ledger import LedgerUnavailable
from contract.metrics import Metrics
from contract.spans import ATTEMPT, EVENT_ID
from contract.webhooks import DeliveryState, DisabledCause
from workers.deliver.limits import DeliveryLimits
from workers.deliver.messages import key_of, signed_headers
from workers.deliver.outcome import cause_to_disable, follows
from workers.deliver.receiver import AttemptResult
from workers.deliver.stopping import Stopping, pause
from workers.deliver.traces import Posting, trace_in

log = structlog.get_logger(__name__)

_LEASE_MORE_S: Final = 20.0  # beyond the time limit of an attempt, to store what came of it; chosen: soon after a kill


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackContext:
    """What posts and keeps callbacks. `secret`: the setting that the owners' secrets are derived from."""

    store: CallbackStore
    posting: Posting
    secret: str
    metrics: Metrics
    limits: DeliveryLimits
    clock: Callable[[], datetime]


class Callbacks:
    """Posts what is due, up to `callbacks_at_once`, and to one host `at_once`: a slow receiver holds up no other.

    A callback is claimed by making it due again later. So a process that is killed loses none: another one posts it
    when its time has come, maybe again. What came of attempts is stored together, before more is claimed.
    """

    def __init__(self, context: CallbackContext) -> None:
        self._context = context
        self._limits = context.limits
        self._leases: dict[str, datetime] = {}  # of what is under way, by event id
        self._busy: Counter[str] = Counter()  # requests under way, by host
        self._tried: list[Callback] = []  # to be stored
        self._changed = asyncio.Event()
        self._sweep_at = self._count_at = context.clock()

    async def run(self, stopping: asyncio.Event) -> None:
        """Posts until `stopping` is set, and then finishes what is under way."""
        async with asyncio.TaskGroup() as group:
            with suppress(Stopping):
                while not stopping.is_set():
                    await self._step(group, stopping)
        with suppress(LedgerUnavailable):  # then they are due again when their leases end
            await self._settle()

    async def _step(self, group: asyncio.TaskGroup, stopping: asyncio.Event) -> None:
        self._changed.clear()
        try:
            await self._settle()
            claimed = await self._claim()
            await self._count()
            await self._sweep()
        except LedgerUnavailable:  # the role tells of it
            await pause(stopping, self._limits.pause_s)
            return
        for callback in claimed:
            group.create_task(self._post(callback))
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.poll_s):
                await self._changed.wait()

    async def _settle(self) -> None:
        tried = [*self._tried]  # more may come while these are stored
        if not tried:
            return
        await self._context.store.settle(tried, {it.event_id: self._leases[it.event_id] for it in tried})
        self._tried = self._tried[len(tried) :]
        for callback in tried:
            del self._leases[callback.event_id]

    async def _claim(self) -> Sequence[Callback]:
        """Claims as much as there is room for. What is still under way is not begun a second time."""
        room = self._limits.callbacks_at_once - len(self._leases)
        if room <= 0:
            return ()
        at = self._context.clock()
        until = at + timedelta(seconds=self._limits.timeout_s + _LEASE_MORE_S)
        claimed = await self._context.store.claim(at, until, limit=room, a_host=self._limits.at_once, busy=self._busy)
        fresh = [it for it in claimed if it.event_id not in self._leases]
        self._leases |= {it.event_id: until for it in claimed}
        self._busy.update(it.host for it in fresh)
        return fresh

    async def _post(self, callback: Callback) -> None:
        """Posts once, and notes what came of it."""
        key = key_of(callback_secret(self._context.secret, callback.owner))
        headers = signed_headers([key], callback.event_id, callback.body, self._context.clock())
        answer = await self._context.posting.post(
            callback.url,
            callback.body,
            headers,
            trace=trace_in(callback.body),
            about={EVENT_ID: callback.event_id, ATTEMPT: callback.progress.attempts + 1},
        )
        self._context.metrics.callback_attempts.labels(answer.outcome).inc()
        self._tried.append(after_attempt(callback, answer, self._context.clock(), self._limits))
        self._busy[callback.host] -= 1
        if not self._busy[callback.host]:
            del self._busy[callback.host]
        self._changed.set()

    async def _count(self) -> None:
        """Sets the gauge of what is pending, once a poll: each attempt that ends begins a step, and this reads all."""
        at = self._context.clock()
        if at >= self._count_at:
            self._count_at = at + timedelta(seconds=self._limits.poll_s)
            self._context.metrics.callback_pending.set(await self._context.store.count_pending())

    async def _sweep(self) -> None:
        """Deletes old callbacks, but not before their events are too old to begin another one."""
        at = self._context.clock()
        if at < self._sweep_at:
            return
        self._sweep_at = at + timedelta(seconds=self._limits.sweep_s)
        keep = max(timedelta(days=self._limits.keep_days), BEGINS_WITHIN)
        await self._context.store.sweep_callbacks(at - keep)


def after_attempt(callback: Callback, answer: AttemptResult, at: datetime, limits: DeliveryLimits) -> Callback:
    """Returns the callback after an attempt that ended at the aware time `at`. A receiver that is gone ends it."""
    attempts = callback.progress.attempts + 1
    state, next_at = follows(attempts, answer, at, limits)
    if cause_to_disable(answer, None, at, limits) is DisabledCause.GONE:
        state, next_at = DeliveryState.FAILED, None
    progress = CallbackProgress(state, attempts, answer.status, answer.error)
    return replace(callback, progress=progress, next_at=next_at, last_at=at)
