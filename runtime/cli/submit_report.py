"""What `submit` tells of its documents: a receipt or a refusal for each, progress, and a sum at the end."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from runtime.cli import streams
from runtime.cli.retrier import Refused

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from runtime.cli.client import Receipt


@dataclass(slots=True)
class SubmitReport:
    """Prints receipts to standard output, refusals to standard error, and a progress bar if receipts are invisible."""

    total: int
    as_json: bool
    acceptances: int = 0
    refusals: int = 0
    batch: str | None = None  # its id
    is_closed: bool = False
    _bar: "Progress | None" = field(default=None, init=False)
    _task: "TaskID | None" = field(default=None, init=False)

    @contextmanager
    def progress(self) -> Iterator[None]:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        console = Console(stderr=True)
        if not console.is_terminal or Console().is_terminal:
            yield
            return
        columns = TextColumn("submitting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        # Rich prints standard error above the bar. It must leave standard output alone, which is a file or a pipe.
        with Progress(*columns, console=console, redirect_stdout=False) as self._bar:
            self._task = self._bar.add_task("submitting", total=self.total)
            yield

    def answered(self, name: str, outcome: "Receipt | Refused") -> None:
        if isinstance(outcome, Refused):
            self.refused(name, str(outcome))
        else:
            self.accepted(name, outcome)

    def accepted(self, name: str, receipt: "Receipt") -> None:
        self.acceptances += 1
        self.batch = receipt.batch
        line = {"name": os.fsencode(name).decode(errors="replace"), "id": receipt.id, "lane": receipt.lane}
        line |= {} if receipt.batch is None else {"batch": receipt.batch}
        streams.put(orjson.dumps(line).decode() if self.as_json else f"accepted\t{receipt.id}\t{receipt.lane}\t{name}")
        for warning in receipt.warnings:
            streams.tell(f"warning\t{name}\t{warning}")
        self._advance()

    def refused(self, name: str, why: str) -> None:
        self.refusals += 1
        streams.tell(f"refused\t{name}\t{why}")
        self._advance()

    @property
    def is_open(self) -> bool:
        """True if there is a batch that is not closed."""
        return self.batch is not None and not self.is_closed

    def sum_up(self) -> None:
        left = self.total - self.acceptances - self.refusals
        hint = ": run the command again to send the rest; no document counts twice" if left else ""
        streams.tell(f"copydesk: {self.acceptances} accepted, {self.refusals} refused, {left} not sent{hint}")
        if self.batch is not None:
            state = "not closed: run the command again" if self.is_open else "closed"
            streams.tell(f"copydesk: batch {self.batch} is {state}")

    def _advance(self) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task)
