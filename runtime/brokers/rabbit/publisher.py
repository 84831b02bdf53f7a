"""Publishes and awaits confirms, on one connection that does nothing else."""

import asyncio
import math
from collections.abc import Sequence
from contextlib import AsyncExitStack
from weakref import WeakValueDictionary

import structlog
from aio_pika import Message
from aio_pika.exceptions import DeliveryError, PublishError

from contract.broker import BrokerError, BrokerFull, BrokerUnavailable
from contract.labels import Destination, PublishFailure, SessionLoss
from contract.metrics import Metrics
from contract.topology import PROBE
from runtime.brokers.rabbit.channels import Channels
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.outgoing import Outgoing
from runtime.brokers.rabbit.session import Session, SessionLost, translated

log = structlog.get_logger(__name__)

_BATCH = 64  # messages that are published together; chosen: a quarter of `RabbitLimits.outstanding_confirms`


class NotPublished(BrokerUnavailable):
    """The message is not known to be stored: `cause`."""

    def __init__(self, cause: PublishFailure, detail: str) -> None:
        super().__init__(detail)
        self.cause = cause


class Publisher:
    """Publishes on the live session, if there is one. The supervisor calls `run` for each session."""

    def __init__(self, limits: RabbitLimits, metrics: Metrics) -> None:
        self._limits = limits
        self._metrics = metrics
        self._live: tuple[Session, Channels] | None = None
        self._up = asyncio.Event()
        self._tasks = asyncio.TaskGroup()
        self._blocked = False
        self._confirmed_at = -math.inf
        self._logged_at: dict[PublishFailure, float] = {}
        self._taking = asyncio.Lock()
        self._outstanding = asyncio.Semaphore(limits.outstanding_confirms)
        self._by_id: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def run(self, session: Session) -> None:
        """Offers `session` for publishing until it is lost.

        Raises:
            BaseExceptionGroup: of `SessionLost`, or of a defect.
        """
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._live = (session, self._channels_of(session))
                self._blocked = False
                self._up.set()
                await session.until_lost()
        finally:
            self._up.clear()
            self._live = None

    def _channels_of(self, session: Session) -> Channels:
        return Channels(session, self._limits, self._tasks)

    async def publish(self, outgoing: Outgoing, *, timeout_s: float) -> None:
        """Returns when the broker has confirmed. `timeout_s` is at most `confirm_timeout_s`.

        Raises:
            BrokerUnavailable: no session, blocked, no queue to take it, or no confirm within `timeout_s` seconds.
            BrokerFull: a queue refused it.
        """
        try:
            await self._publish_within(timeout_s, outgoing)
        except NotPublished as failure:
            self._note(failure.cause, outgoing, str(failure))
            raise
        except BrokerFull as refusal:
            self._note(PublishFailure.REFUSED, outgoing, str(refusal))
            raise
        self._confirmed_at = _now()
        self._metrics.published.labels(outgoing.to).inc()

    async def publish_many(self, outgoings: Sequence[Outgoing], *, timeout_s: float) -> Sequence[BrokerError | None]:
        """Publishes each of `outgoings`, as `publish`, and returns its failure, None where it is confirmed.

        Most are published together. What is not confirmed in this way is published alone, which finds out why.
        """
        end = _now() + timeout_s
        batches = [outgoings[begin : begin + _BATCH] for begin in range(0, len(outgoings), _BATCH)]
        confirmed = set().union(*await asyncio.gather(*(self._publish_together(batch, timeout_s) for batch in batches)))
        left = [outgoing for outgoing in outgoings if id(outgoing) not in confirmed]
        failures = await asyncio.gather(*(self._outcome(outgoing, max(0.0, end - _now())) for outgoing in left))
        by_message = {id(outgoing): failure for outgoing, failure in zip(left, failures, strict=True)}
        return [by_message.get(id(outgoing)) for outgoing in outgoings]

    async def _publish_together(self, outgoings: Sequence[Outgoing], timeout_s: float) -> set[int]:
        """Returns which of `outgoings`, by `id`, are confirmed within `timeout_s`. One of each message id is tried."""
        tried = list({outgoing.message.message_id: outgoing for outgoing in outgoings}.values())
        confirms: Sequence[asyncio.Future[object]] = ()
        try:
            async with asyncio.timeout(timeout_s), AsyncExitStack() as held:
                await self._hold(held, tried)
                if self._live is not None and not self._live[0].is_blocked():
                    with translated(SessionLoss.CONNECTION_CLOSED):
                        confirms = await self._live[1].offer_together(tried)
                        await asyncio.wait(confirms)
        except (TimeoutError, SessionLost):
            pass
        finally:
            confirmed = {id(each) for each, confirm in zip(tried, confirms, strict=False) if _is_confirmed(confirm)}
        if confirmed:
            self._confirmed_at = _now()
            self._metrics.published.labels(tried[0].to).inc(len(confirmed))
        return confirmed

    async def _hold(self, held: AsyncExitStack, outgoings: Sequence[Outgoing]) -> None:
        """Waits for a session, and for room and the locks of all `outgoings`. `held` gives them back.

        One batch at a time takes its room, and locks are taken in the order of the ids: no two wait for each other.
        """
        await self._up.wait()
        async with self._taking:
            for _ in outgoings:
                await held.enter_async_context(self._outstanding)
        for message_id in sorted(str(outgoing.message.message_id) for outgoing in outgoings):
            await held.enter_async_context(self._lock(message_id))

    async def _outcome(self, outgoing: Outgoing, timeout_s: float) -> BrokerError | None:
        try:
            await self.publish(outgoing, timeout_s=timeout_s)
        except BrokerError as error:
            return error
        return None

    async def ready(self) -> bool:
        """Returns True if a publish was confirmed in the last seconds, or a probe is confirmed now."""
        if self._live is None or self._live[0].is_over or self._live[0].is_blocked():
            return False
        if _now() - self._confirmed_at < self._limits.fresh_confirm_s:
            return True
        probe = Outgoing(message=Message(b""), exchange=PROBE, key="", to=Destination.PROBE, mandatory=False)
        try:
            await self.publish(probe, timeout_s=self._limits.probe_timeout_s)
        except BrokerUnavailable:
            return False
        return True

    async def _publish_within(self, timeout_s: float, outgoing: Outgoing) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await self._up.wait()
                async with self._outstanding, self._lock(outgoing.message.message_id):
                    await self._publish(outgoing)
        except TimeoutError:
            self._confirmed_at = -math.inf
            self._check_blocked()  # RabbitMQ reports an alarm only after it was sent something
            cause = PublishFailure.TIMED_OUT if self._up.is_set() else PublishFailure.NO_SESSION
            raise NotPublished(cause, f"no confirm within {timeout_s:g} s") from None

    async def _publish(self, outgoing: Outgoing) -> None:
        if self._live is None:
            raise NotPublished(PublishFailure.NO_SESSION, "the session was just lost")
        session, channels = self._live
        self._check_blocked()
        try:
            with translated(SessionLoss.CONNECTION_CLOSED):
                await channels.offer(outgoing)
        except PublishError as error:
            session.lose(SessionLoss.UNROUTABLE, repr(error))  # the next session declares the missing queue
            raise NotPublished(PublishFailure.RETURNED, "no queue takes the message") from error
        except DeliveryError as error:
            raise BrokerFull("a queue refused the message") from error
        except SessionLost as error:
            session.lose(error.cause, error.detail)
            raise NotPublished(PublishFailure.SESSION_LOST, error.detail) from error

    def _check_blocked(self) -> None:
        """Returns unless an alarm blocks the live session. Its start and its end are logged once."""
        if self._live is None or not self._live[0].is_blocked():
            return
        session, _ = self._live
        if not self._blocked and not session.is_over:
            self._blocked = True
            self._tasks.create_task(self._tell_of_block(session))
        raise NotPublished(PublishFailure.BLOCKED, "the broker blocks publishers: a memory or disk alarm")

    async def _tell_of_block(self, session: Session) -> None:
        began = _now()
        log.warning("broker_blocks_publishers")
        try:
            await session.until_not_blocked()
        finally:
            self._blocked = False
        log.info("broker_takes_messages_again", blocked_s=round(_now() - began, 1))

    def _note(self, cause: PublishFailure, outgoing: Outgoing, detail: str) -> None:
        """Counts a failure. Few of each cause are logged: a full queue refuses thousands."""
        self._metrics.publish_failures.labels(to=outgoing.to, cause=cause).inc()
        if _now() - self._logged_at.get(cause, -math.inf) >= self._limits.failure_log_pause_s:
            self._logged_at[cause] = _now()
            message_id = outgoing.message.message_id
            log.warning("publish_failed", cause=cause, to=outgoing.to, message_id=message_id, detail=detail)

    def _lock(self, message_id: str | None) -> asyncio.Lock:
        """Returns the lock of this id: aiormq distinguishes returned from confirmed messages only by this id."""
        return self._by_id.setdefault(message_id or "", asyncio.Lock())


def _is_confirmed(confirm: asyncio.Future[object]) -> bool:
    """Tells whether the message is confirmed. If that is not decided, nobody waits for it any more."""
    return not confirm.cancel() and not confirm.cancelled() and confirm.exception() is None


def _now() -> float:
    return asyncio.get_running_loop().time()
