"""Collects the text between two ends of line, piece by piece, and makes a block of it."""

from workers.page.blocks import BREAK, BlockKind, TextBlock, TextRun
from workers.page.raised import raised
from workers.page.tree import Element
from workers.page.unread import is_numbering

_CODE = BlockKind.PREFORMATTED  # read once: see `BlockKind`
_LINK, _BOLD, _ITALIC = range(3)
MARKS = {"a": _LINK, "b": _BOLD, "strong": _BOLD, "i": _ITALIC, "em": _ITALIC, "cite": _ITALIC}
_QUOTES = (("“", "”"), ("‘", "’"))  # of a quotation, and of one inside another (HTML, 15.3.6)
_OPENING = "\"'“„«‘‚‹「『"
_new = tuple.__new__  # of a named tuple, in half the time of calling its class


class BlockCollector:
    """Collects the runs of one block after the other.

    `runs`, `kind`, `container`, `flags` and `after_image` are those of the block in progress (`TextBlock`).
    With `keeps_lines`, line feeds end lines.
    """

    __slots__ = (
        *("blocks", "runs", "container", "kind", "keeps_lines", "flags", "after_image"),
        *("_marks", "_depths", "_chars", "_line_filled", "_raising", "_raised", "_closers"),
    )

    def __init__(self) -> None:
        self.blocks: list[TextBlock] = []
        self.runs: list[TextRun] = []
        self.container = 0
        self.kind = BlockKind.PARAGRAPH
        self.keeps_lines = False
        self.flags = 0
        self.after_image = False
        self._marks = 0
        self._depths = [0, 0, 0]
        self._chars = [0, 0, 0]
        self._line_filled = False
        self._raising: list[str] = []
        self._raised: list[tuple[int, str]] = []  # number and tag of each run in a `sup` or `sub`
        self._closers: list[str] = []

    def add(self, text: str, element: Element, *, is_tail: bool = False) -> None:
        """Adds the text of `element`, or with `is_tail` the text after it."""
        if self.keeps_lines and "\n" in text and self.kind is not _CODE:
            self._add_lines(text, element, is_tail=is_tail)
            return
        if self._raising:
            self._raised.append((len(self.runs), self._raising[-1]))
        self.runs.append(_new(TextRun, (text, element, is_tail)))
        if not text or text.isspace():
            return
        self._line_filled = True
        if self._marks:
            chars = len(text.strip())
            for mark, depth in enumerate(self._depths):
                if depth > 0:
                    self._chars[mark] += chars

    def _add_lines(self, text: str, element: Element, *, is_tail: bool) -> None:
        first, *others = text.split("\n")
        self.add(first, element, is_tail=is_tail)
        for line in others:
            self.end_line(element)
            self.add(line, element, is_tail=is_tail)

    def mark(self, tag: str, step: int) -> None:
        """Counts a link or emphasis that begins (`step` 1) or ends (-1)."""
        self._marks += step
        self._depths[MARKS[tag]] += step

    def raise_or_lower(self, tag: str) -> None:
        """Begins a `sup` or `sub`."""
        self._raising.append(tag)

    def end_raised(self) -> None:
        """Ends the innermost `sup` or `sub`."""
        self._raising.pop()

    def open_quote(self, element: Element) -> None:
        """Writes the mark that a browser puts before a `<q>`, where the page has not written one itself."""
        before = self.runs[-1].text.rstrip()[-1:] if self.runs else ""
        opening, closing = ("", "") if before and before in _OPENING else _QUOTES[len(self._closers) % 2]
        self._closers.append(closing)
        self.runs.append(TextRun(opening, element, is_tail=False))

    def close_quote(self, element: Element) -> None:
        """Writes the mark that a browser puts after a `<q>`."""
        self.runs.append(TextRun(self._closers.pop(), element, is_tail=False))

    def end_line(self, element: Element) -> None:
        """Ends a line. Two ends in a row end the block, except in preformatted text."""
        if self._line_filled or self.kind is _CODE:
            self.runs.append(TextRun(BREAK, element, is_tail=False))
            self._line_filled = False
        elif self.runs:
            self.flush()

    def flush(self) -> None:
        """Makes a block of the collected runs, unless they are empty or the line numbers of code."""
        runs, kind, (link, bold, italic) = self.runs, self.kind, self._chars
        flags, self.flags = self.flags, 0
        raw = runs[0].text if len(runs) == 1 and not self._raised else self._joined()
        self.runs, self._chars, self._line_filled = [], [0, 0, 0], False
        text = _verbatim(raw) if kind is _CODE else _squeeze(raw)
        if text and not (kind is _CODE and is_numbering(text)):
            block = (text, kind, self.container, tuple(runs), link, bold, italic, flags, self.after_image)
            self.blocks.append(_new(TextBlock, block))
            self.after_image = False

    def _joined(self) -> str:
        pieces = [run.text for run in self.runs]
        for number, tag in self._raised:
            pieces[number] = raised(pieces[number], tag)
        self._raised = []
        return "".join(pieces)


def _squeeze(raw: str) -> str:
    if BREAK not in raw:
        return " ".join(raw.split())
    lines = (" ".join(line.split()) for line in raw.split(BREAK))
    return "\n".join([line for line in lines if line])


def _verbatim(raw: str) -> str:
    lines = [line.rstrip() for line in raw.replace(BREAK, "\n").splitlines()]
    filled = [number for number, line in enumerate(lines) if line]
    return "\n".join(lines[filled[0] : filled[-1] + 1]) if filled else ""
