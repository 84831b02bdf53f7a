"""Publishes and awaits confirms, on one connection that does nothing else."""

import asyncio
import math
from dataclasses import dataclass
from weakref import WeakValueDictionary

from aio_pika import Message
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import DeliveryError, PublishError

from contract.broker import BrokerFull, BrokerUnavailable
from contract.metrics import Metrics
from contract.topology import INTAKE
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.session import Loss, Session, SessionLost, translated

_PROBE_KEY = "probe"  # bound to nothing: the broker confirms and drops


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message and where to. `to` names the way in metrics; `mandatory` asks that a queue takes it."""

    message: Message
    exchange: str
    key: str
    to: str
    mandatory: bool = True


class Publisher:
    """Publishes on the live session, if there is one. `run` is its supervised work."""

    def __init__(self, limits: RabbitLimits, metrics: Metrics) -> None:
        self._limits = limits
        self._metrics = metrics
        self._live: tuple[Session, AbstractChannel] | None = None
        self._up = asyncio.Event()
        self._confirmed_at = -math.inf
        self._outstanding = asyncio.Semaphore(limits.outstanding_confirms)
        self._by_id: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def run(self, session: Session) -> None:
        """Offers `session` for publishing until it is lost."""
        self._live = (session, await session.channel())
        self._up.set()
        try:
            await session.until_lost()
        finally:
            self._up.clear()
            self._live = None

    async def publish(self, outgoing: Outgoing, *, timeout_s: float) -> None:
        """Returns when the broker has confirmed.

        Raises:
            BrokerUnavailable: no session, blocked, no queue to take it, or no confirm within `timeout_s` seconds.
            BrokerFull: a queue refused it.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._up.wait()
                async with self._outstanding, self._lock(outgoing.message.message_id):
                    await self._publish(outgoing)
        except TimeoutError:
            self._confirmed_at = -math.inf
            raise BrokerUnavailable(f"no confirm within {timeout_s:g} s") from None
        self._confirmed_at = asyncio.get_running_loop().time()
        self._metrics.published.labels(to=outgoing.to).inc()

    async def ready(self) -> bool:
        """Tells whether publishing works: it did in the last seconds, or a probe is confirmed now."""
        if self._live is None or self._live[0].is_over or await self._live[0].is_blocked():
            return False
        if asyncio.get_running_loop().time() - self._confirmed_at < self._limits.fresh_confirm_s:
            return True
        probe = Outgoing(message=Message(b""), exchange=INTAKE, key=_PROBE_KEY, to="probe", mandatory=False)
        try:
            await self.publish(probe, timeout_s=self._limits.probe_timeout_s)
        except BrokerUnavailable:
            return False
        return True

    async def _publish(self, outgoing: Outgoing) -> None:
        if self._live is None:
            raise BrokerUnavailable("the session was just lost")
        session, channel = self._live
        if await session.is_blocked():
            raise BrokerUnavailable("the broker blocks publishers: a memory or disk alarm")
        try:
            with translated(Loss.CONNECTION_CLOSED):
                await _confirmed(channel, outgoing)
        except PublishError as error:
            session.lose(Loss.UNROUTABLE, repr(error))  # the next session declares what is gone
            raise BrokerUnavailable("no queue takes the message") from error
        except DeliveryError as error:
            raise BrokerFull("a queue refused the message") from error
        except SessionLost as error:
            session.lose(error.cause, error.detail)
            raise BrokerUnavailable(error.detail) from error

    def _lock(self, message_id: str | None) -> asyncio.Lock:
        """Returns the lock of this id: aiormq tells a returned message from a confirmed one by its id alone."""
        return self._by_id.setdefault(message_id or "", asyncio.Lock())


async def _confirmed(channel: AbstractChannel, outgoing: Outgoing) -> None:
    exchange = await channel.get_exchange(outgoing.exchange, ensure=False)
    await exchange.publish(outgoing.message, outgoing.key, mandatory=outgoing.mandatory)
