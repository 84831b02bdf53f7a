"""Resident memory of each role over time, from proc(5), and its picture."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.faults.balance import Events
from tests.faults.deployment import Deployment
from tests.rabbit_node import RabbitNode

EVERY_S = 1.0  # between two readings of /proc; chosen


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement of a role. Memory that children share with their parent counts in each of them."""

    at: float  # Unix seconds
    decided: int  # documents so far
    role: str
    itself: int  # bytes
    children: int  # bytes

    @property
    def total(self) -> int:
        return self.itself + self.children


class Watch:
    """Measures every process of `deployment` and the broker once a second."""

    def __init__(self, deployment: Deployment, node: RabbitNode) -> None:
        self._deployment = deployment
        self._node = node
        self.samples: list[Sample] = []

    async def run(self, events: Events) -> None:
        """Measures until it is cancelled."""
        while True:
            self.samples += self._look(len(events.subjects))
            await asyncio.sleep(EVERY_S)

    def _look(self, decided: int) -> list[Sample]:
        workers = {f"worker {number}": worker.pid for number, worker in enumerate(self._deployment.workers, 1)}
        roles = {"serve": self._deployment.serve.pid, **workers, "broker": self._broker_pid()}
        parents = parents_now()
        return [
            Sample(time.time(), decided, role, rss_bytes(pid), sum(map(rss_bytes, descendants(pid, parents))))
            for role, pid in roles.items()
        ]

    def _broker_pid(self) -> int:
        try:
            return self._node.pid
        except (FileNotFoundError, ValueError):  # it starts just now
            return 0

    def peak_bytes(self, role: str, part: str, after: int, until: int) -> int:
        """Returns the most that `part` of a role held while the documents `after` to `until` were decided."""
        return max(int(getattr(s, part)) for s in self.samples if s.role == role and after < s.decided <= until)

    def roles(self) -> list[str]:
        """Returns the roles, in the order in which they were first seen."""
        return list(dict.fromkeys(sample.role for sample in self.samples))


def rss_bytes(pid: int) -> int:
    """Returns a process's VmRSS, 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), 0)


def parents_now() -> dict[int, int]:
    """Returns every process's parent."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
    return parents


def descendants(pid: int, parents: dict[int, int]) -> list[int]:
    """Returns the children of `pid`, their children, and so on."""
    children = [child for child, parent in parents.items() if parent == pid]
    return children + [deeper for child in children for deeper in descendants(child, parents)]


def draw(picture: Path, watch: Watch, faults: Sequence[tuple[float, str]]) -> None:
    """Writes the picture: processes by themselves, workers' children, and the broker, with the faults marked."""
    mpl.rcParams["svg.hashsalt"] = "copydesk"
    figure = Figure(figsize=(11, 9), layout="constrained")
    panels = figure.subplots(3, 1, sharex=True)
    roles = watch.roles()
    processes, workers = [role for role in roles if role != "broker"], [role for role in roles if "worker" in role]
    plot(panels[0], watch, {role: (role, "itself") for role in processes}, "processes without their children")
    plot(panels[1], watch, {f"{role}'s children": (role, "children") for role in workers}, "parser children, together")
    plot(panels[2], watch, {"broker": ("broker", "itself")}, "broker")
    for panel in panels:
        mark(panel, watch.samples[0].at, faults, with_names=panel is panels[0])
    panels[-1].set_xlabel("minutes")
    figure.savefig(picture, metadata={"Date": None})


def plot(panel: Axes, watch: Watch, lines: dict[str, tuple[str, str]], title: str) -> None:
    begin = watch.samples[0].at
    for label, (role, part) in lines.items():
        seen = [sample for sample in watch.samples if sample.role == role]
        panel.plot([(s.at - begin) / 60 for s in seen], [getattr(s, part) / 1e6 for s in seen], label=label, lw=1)
    panel.set_title(title, loc="left", fontsize="medium")
    panel.set_ylabel("resident MB")
    panel.set_ylim(bottom=0)
    panel.legend(loc="lower right", fontsize="small")


def mark(panel: Axes, begin: float, faults: Sequence[tuple[float, str]], *, with_names: bool) -> None:
    for at, name in faults:
        minutes = (at - begin) / 60
        panel.axvline(minutes, color="grey", lw=0.6, ls=":")
        if with_names:
            panel.annotate(name, (minutes, 2), rotation=90, fontsize=6, color="dimgrey", ha="right", va="bottom")
