"""Executes verdicts: each step is confirmed before the next, and all of them before the ack."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from contract.attempts import failed_attempt
from contract.broker import BrokerError
from contract.events import Event
from contract.job import Job
from contract.labels import Destination
from contract.metrics import Metrics
from contract.spans import REFUSED, send_span
from contract.topology import DEAD, DELAYED, DOCUMENTS, LOG, REPLIES, Topology, exchange_to
from contract.tracing import OFF, Tracer
from contract.verdicts import Acceptance, Answer, Bury, Defer, Publish, Retry, Verdict
from runtime.brokers.rabbit.attempts import AttemptRecord
from runtime.brokers.rabbit.fanout import Fanout
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.messages import dead_letter, event_message, job_message, reply_message
from runtime.brokers.rabbit.outgoing import Outgoing
from runtime.brokers.rabbit.publisher import Publisher
from runtime.brokers.rabbit.retry import retry_until_done

if TYPE_CHECKING:
    from aio_pika.abc import AbstractIncomingMessage


class VerdictExecutor:
    """Executes verdicts. It repeats a step until it is confirmed; cancel it when the delivery is no longer ours."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it works with
        self,
        publisher: Publisher,
        attempts: AttemptRecord,
        topology: Topology,
        limits: RabbitLimits,
        metrics: Metrics,
        tracer: Tracer = OFF,
    ) -> None:
        self._publisher = publisher
        self._attempts = attempts
        self._topology = topology
        self._limits = limits
        self._metrics = metrics
        self._tracer = tracer
        self._fanout = Fanout(publisher, limits, metrics)

    async def execute(self, verdict: Verdict, delivered: "AbstractIncomingMessage") -> None:
        """Returns when everything that the verdict asks for is confirmed. Then `delivered` may be acked.

        Raises:
            MessageTooLarge: the message is larger than brokers accept; nothing was sent.
        """
        match verdict:
            case Publish(event):
                await self._announce(event, verdict.acceptance)
            case Retry(job, delay_s):
                await self._delay(job, delay_s)
                self._attempts.add(failed_attempt(verdict, datetime.now(UTC)))
            case Defer(job, delay_s):
                await self._delay(job, delay_s)
            case Bury():
                await self._bury(verdict, delivered)
            case Answer(event):
                await self._reply(event, delivered.reply_to)

    async def _announce(self, event: Event, acceptance: Acceptance | None) -> None:
        message = event_message(event, also_to=event.subject)  # in the log, all keys lead to the one stream
        to_log = Outgoing(
            message=message, exchange=exchange_to(LOG), key=event.routing_key, to=Destination.LOG, stream=LOG
        )
        with send_span(self._tracer, event, LOG):
            await self._publish_until_confirmed(to_log)
        self._metrics.observe_decided(acceptance, event.trace)
        to_subscribers = Outgoing(
            message=message, exchange=DOCUMENTS, key=event.routing_key, to=Destination.DOCUMENTS, mandatory=False
        )
        with send_span(self._tracer, event, DOCUMENTS) as span:
            is_taken = await self._fanout.offer(to_subscribers)
            if not is_taken:
                span.fail(REFUSED)
        if is_taken:
            self._metrics.observe_notified(acceptance, event.trace)

    async def _delay(self, job: Job, delay_s: float) -> None:
        queue = self._topology.delay_queue(delay_s)
        await self._publish_until_confirmed(
            Outgoing(message=job_message(job), exchange=DELAYED, key=queue, to=Destination.RETRY)
        )

    async def _bury(self, verdict: Bury, delivered: "AbstractIncomingMessage") -> None:
        if verdict.event is not None:
            await self._announce(verdict.event, verdict.acceptance)
        letter = dead_letter(delivered, verdict.cause, verdict.event)
        await self._publish_until_confirmed(
            Outgoing(message=letter, exchange=exchange_to(DEAD), key="", to=Destination.DEAD)
        )

    async def _reply(self, event: Event | None, queue: str | None) -> None:
        """Tries once: whoever asked for the preview waits no longer than a moment."""
        if event is None or queue is None:
            return
        outgoing = Outgoing(
            message=reply_message(event), exchange=REPLIES, key=queue, to=Destination.REPLIES, mandatory=False
        )
        with suppress(BrokerError):
            await self._publish(outgoing)

    async def _publish_until_confirmed(self, outgoing: Outgoing) -> None:
        await retry_until_done(lambda: self._publish(outgoing), on=BrokerError, limits=self._limits)

    async def _publish(self, outgoing: Outgoing) -> None:
        await self._publisher.publish(outgoing, timeout_s=self._limits.confirm_timeout_s)
