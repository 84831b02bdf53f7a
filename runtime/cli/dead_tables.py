"""Formats dead letters: two lines for a list on a terminal, one line in a pipe, or all details of one."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

Letter = Mapping[str, Any]

_FACTS = ("event_id", "buried_at", "accepted_at", "kind", "url", "lane", "run", "attempt", "size", "copies")


def line(letter: Letter) -> str:
    """Returns a letter's id, reason, time, run, kind, size and URL, separated by tabs. Unknown values are empty."""
    names = ("id", "reason", "buried_at", "run", "kind", "size", "url")
    return "\t".join(" ".join(_text(letter, name).split()) for name in names)


def entry(letter: Letter, columns: int) -> RenderableType:
    """Returns a letter as two lines for a terminal with this number of columns: its facts, and below them its cause.

    The first line begins with the id and is never cut: a narrower terminal wraps it.
    """
    buried = _text(letter, "buried_at")[:16].replace("T", " ")
    run = f"run {letter['run']}" if "run" in letter else ""
    facts = "  ".join(filter(None, (_text(letter, "reason") or "unknown", buried, run)))
    what = _text(letter, "url") or _text(letter, "kind") or f"{letter['size']} bytes"
    cause = _text(letter, "cause").strip().splitlines() or [""]
    below = Text(f"  {what}  {cause[-1]}".rstrip(), style="dim")
    below.truncate(columns, overflow="ellipsis")
    return Text.assemble((_text(letter, "id"), "bold"), "  ", facts, "\n", below)


def details(letter: Letter) -> RenderableType:
    """Returns everything known about one letter except its content."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in _rows(letter):
        facts.add_row(name, Text(value))
    title = Text(_text(letter, "reason") or "unknown", style="bold red")
    cause = Text(_text(letter, "cause").strip())
    return Panel(Group(facts, Text(), cause), title=title, title_align="left", border_style="red", padding=(1, 2))


def _rows(letter: Letter) -> list[tuple[str, str]]:
    rows = [(name, _text(letter, name)) for name in _FACTS]
    rows += [(f"label {name}", value) for name, value in letter.get("labels", {}).items()]
    rows += [("attempt before", f"{past['at']} {past['reason']} {past['detail']}") for past in letter["history"]]
    return [(name, value) for name, value in rows if value]


def _text(letter: Letter, name: str) -> str:
    value = letter.get(name)
    return "" if value is None else str(value)
