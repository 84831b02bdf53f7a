"""Accuracy against speed: extractors side by side on the same pages, as a table and as a picture."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.text_f1 import Row, compare, f1


@dataclass(slots=True)
class Measured:
    """The results of one extractor: CPU seconds of each document, and precision and recall where the truth is known."""

    seconds: list[float] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def add(self, seconds: float, truth: str | None, text: str) -> None:
        self.seconds.append(seconds)
        if truth:
            self.rows.append(compare(truth, text))

    @property
    def per_second(self) -> float:
        """Documents a CPU second."""
        return len(self.seconds) / sum(self.seconds)

    @property
    def f1(self) -> float:
        """F1 of the texts, by the method of `bench.text_f1`."""
        return f1(self.rows)


def table(measured: dict[str, Measured]) -> str:
    """Returns a Markdown table; speed is also given as a multiple of trafilatura's."""
    base = next((each.per_second for name, each in measured.items() if name.startswith("trafilatura")), None)
    lines = [
        "| extractor | text F1 | documents a CPU second | × trafilatura | median | p99 |",
        "| --- |" + " --- |" * 5,
    ]
    for name, each in measured.items():
        times = f"{each.per_second / base:.2f}" if base else ""
        median, p99 = statistics.median(each.seconds) * 1000, _p99(each.seconds) * 1000
        accuracy = f"{each.f1:.3f}" if each.rows else ""
        lines.append(f"| {name} | {accuracy} | {each.per_second:.1f} | {times} | {median:.0f} ms | {p99:.0f} ms |")
    return "\n".join(lines)


def draw(measured: dict[str, Measured], file: Path) -> None:
    """Writes a picture: text F1 upwards, documents a CPU second to the right, on a logarithmic scale."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - not installed with Copydesk

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for name, each in measured.items():
        colour = "tab:red" if name.startswith("copydesk") else "tab:blue"
        axes.scatter(each.per_second, each.f1, color=colour)
        axes.annotate(name, (each.per_second, each.f1), textcoords="offset points", xytext=(6, 4), fontsize=8)
    axes.set_xscale("log")
    axes.set_xlabel("documents a CPU second")
    axes.set_ylabel("text F1")
    axes.margins(x=0.25, y=0.15)
    axes.grid(visible=True, which="both", alpha=0.3)
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)


def _p99(seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=100)[-1] if len(seconds) > 1 else seconds[0]
