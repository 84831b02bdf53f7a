"""Dead letters for people: a table, one in full, or a line in a pipe."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

Letter = Mapping[str, Any]

_FACTS = ("event_id", "buried_at", "accepted_at", "kind", "url", "lane", "run", "attempt", "size", "copies")


def line(letter: Letter) -> str:
    """Returns a letter's id, reason, time, run, kind, size and URL with tabs between; what is not known is empty."""
    names = ("id", "reason", "buried_at", "run", "kind", "size", "url")
    return "\t".join(" ".join(_text(letter, name).split()) for name in names)


def table(letters: Sequence[Letter]) -> RenderableType:
    """Returns the letters as a table, a row each."""
    if not letters:
        return Text("no dead letters")
    rows = Table("buried", "id", "run", "reason", "what", "cause", header_style="dim", box=None)
    for letter in letters:
        buried = _text(letter, "buried_at")[:19].replace("T", " ")
        what = _text(letter, "url") or _text(letter, "kind") or f"{letter['size']} bytes"
        cause = _text(letter, "cause").strip().splitlines() or [""]
        cells = (buried, _text(letter, "id"), _text(letter, "run"), _text(letter, "reason"), what, cause[-1])
        rows.add_row(*map(Text, cells))
    return rows


def details(letter: Letter) -> RenderableType:
    """Returns one letter in full, but for its content."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in _rows(letter):
        facts.add_row(name, Text(value))
    title = Text(f"{_text(letter, 'reason') or 'unknown'}: {letter['id']}", style="bold red")
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
