"""Sends cases one after another, and judges what the subscriber prints."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from runtime.conformance.cases import Case, small
from runtime.conformance.subscriber import Subscriber

QUIET_S = 2.0  # chosen: a subscriber that prints a repeat does so at once


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, and what is wrong with it; None if it is right."""

    name: str
    rule: str
    fault: str | None = None


Tell = Callable[[Finding], None]


@dataclass(frozen=True, slots=True)
class Course:
    """How events are sent to a subscriber, and what to do when it ended: start it again, without them.

    `send` returns what is wrong with how it took them, None if nothing is known to be.
    """

    subscriber: Subscriber
    send: Callable[[Case], Awaitable[str | None]]
    again: Callable[[], Awaitable[None]]
    patience_s: float

    async def run(self, cases: Iterable[Case], tell: Tell) -> None:
        """Sends `cases`, and tells what was found of each."""
        sent: list[tuple[Case, str | None]] = []
        forgotten: set[str] = set()
        for case in cases:
            if case.document in forgotten:  # a subscriber may keep ids in its memory alone
                continue
            fault = await self.send(case)
            await self._until_handled(case)
            if self.subscriber.exit_code is not None:
                tell(Finding(case.name, case.rule, f"it ended with code {self.subscriber.exit_code}"))
                forgotten.update(one.document for one, _ in sent)
                await self.again()
                continue
            sent.append((case, fault))
        await self.subscriber.until_quiet(QUIET_S)
        for case, fault in sent:
            tell(Finding(case.name, case.rule, fault or self._fault(case)))

    async def _until_handled(self, case: Case) -> None:
        """Waits for the lines about `case`; where there may be none, for one about an article behind it."""
        lines = self.subscriber.lines
        if case.least:
            await self.subscriber.until(lambda: lines[case.document] >= case.least, self.patience_s)
            return
        (marker,) = small(1)
        await self.send(marker)
        await self.subscriber.until(lambda: lines[marker.document] > 0, self.patience_s)

    def _fault(self, case: Case) -> str | None:
        found = self.subscriber.lines[case.document]
        if case.least <= found <= case.most:
            return None
        wanted = str(case.least) if case.least == case.most else f"{case.least} to {case.most}"
        return f"{found} lines name the document, instead of {wanted}"
