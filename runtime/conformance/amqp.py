"""A subscriber on RabbitMQ: the cases, then what happens to events when it is cut off, and when it is killed.

The broker tells nobody what a consumer acknowledged. But when the consumer is gone, what it did not acknowledge is in
the queue again.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence

from yarl import URL

from runtime.brokers.rabbit.probe import Probe, probe
from runtime.conformance.cases import Case, cases, small
from runtime.conformance.course import QUIET_S, Course, Finding, Tell
from runtime.conformance.relay import Relay, relay
from runtime.conformance.subscriber import Subscriber, subscriber

_BACKLOG = 300  # events; chosen: more than a sensible prefetch
_POLL_S = 0.2  # RabbitMQ tells nobody that a consumer came or went
_DEFAULT_PORT = 5672  # AMQP


class NoConsumer(Exception):
    """The subscriber does not consume from the queue."""


async def check(url: str, queue: str, command: Sequence[str], patience_s: float, tell: Tell) -> None:
    """Tells what is found of the subscriber that `command` starts, and that consumes from `queue`.

    Raises:
        BrokerUnavailable: the broker cannot be reached.
        NoConsumer: the subscriber does not consume from the queue.
        QueueExclusive: only the subscriber's connection may use the queue.
        OSError: there is no such program.
    """
    broker = URL(url)
    async with (
        probe(url, queue) as probed,
        relay(broker.host or "", broker.port or _DEFAULT_PORT) as (relayed, port),
        subscriber(command, str(broker.with_host("127.0.0.1").with_port(port))) as tested,
    ):
        await _Check(probed, relayed, tested, patience_s, tell).run()


class _Check:
    def __init__(self, queue: Probe, relayed: Relay, tested: Subscriber, patience_s: float, tell: Tell) -> None:
        self._queue, self._relay, self._tested = queue, relayed, tested
        self._patience_s, self._tell = patience_s, tell

    async def run(self) -> None:
        await self._start()
        await Course(self._tested, self._send, self._again, self._patience_s).run(cases(), self._tell)
        await self._acknowledges()
        await self._start()
        await self._cut_off()
        await self._crash()

    async def _cut_off(self) -> None:
        rule = "connects again when the connection is lost"
        self._relay.cut()
        await self._until(self._is_alone, self._patience_s)
        if not await self._until(self._is_consumed, self._patience_s):
            self._tell(Finding("lost connection", rule, "it did not come back"))
            await self._again()
            return
        (after,) = small(1)
        await self._send(after)
        is_taken = await self._tested.until(lambda: self._tested.lines[after.document] > 0, self._patience_s)
        self._tell(Finding("lost connection", rule, None if is_taken else "it takes no events after that"))

    async def _acknowledges(self) -> None:
        rule = "acknowledges every event, also those that it ignores"
        await self._tested.until_quiet(QUIET_S)
        left = await self._left_after_kill()
        fault = f"{len(left)} events are not acknowledged, as {left[0]}" if left else None
        self._tell(Finding("acknowledgements", rule, fault))

    async def _crash(self) -> None:
        """Kills it while it has events that it had no time to handle, because it was stopped before they came."""
        backlog = small(_BACKLOG)
        self._tested.signal(signal.SIGSTOP)
        for case in backlog:
            await self._send(case)
        waiting = await self._settled()
        limited = "limits how many events it holds (prefetch)"
        self._tell(Finding("prefetch", limited, None if waiting else f"it was given {_BACKLOG} events at once"))
        await self._tested.kill()
        await self._until(self._is_alone, self._patience_s)
        kept = await self._settled()
        lost = f"{_BACKLOG - kept} events were acknowledged before it handled them" if kept < _BACKLOG else None
        self._tell(Finding("crash", "acknowledges an event when its work on it is done", lost))
        await self._start()
        lines = self._tested.lines
        await self._tested.until(lambda: all(lines[case.document] for case in backlog), self._patience_s)
        missing = sum(1 for case in backlog if not lines[case.document])
        fault = f"{missing} of {_BACKLOG} events were never taken" if missing else None
        self._tell(Finding("restart", "takes after a crash what it had not handled", fault))

    async def _send(self, case: Case) -> None:
        """Sends the events of a case. What became of them shows later."""
        for event in case.events:
            await self._queue.put(event)

    async def _start(self) -> None:
        await self._tested.start()
        if not await self._until(self._is_consumed, self._patience_s):
            raise NoConsumer

    async def _again(self) -> None:
        """Starts it without the events that it has not handled."""
        await self._left_after_kill()
        await self._start()

    async def _left_after_kill(self) -> Sequence[str]:
        await self._tested.kill()
        await self._until(self._is_alone, self._patience_s)
        return await self._queue.take_all()

    async def _is_consumed(self) -> bool:
        return (await self._queue.counts())[1] > 0

    async def _is_alone(self) -> bool:
        return (await self._queue.counts())[1] == 0

    async def _settled(self) -> int:
        """Returns how many events wait once that number does not change."""
        before, (now, _) = -1, await self._queue.counts()
        while before != now:
            await asyncio.sleep(QUIET_S / 2)
            before, (now, _) = now, await self._queue.counts()
        return now

    async def _until(self, holds: Callable[[], Awaitable[bool]], seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                while not await holds():  # noqa: ASYNC110 - see _POLL_S
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            return False
        return True
