"""Writes the inline content of a block: words, links, emphasis and code."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from lxml.etree import SubElement, _Element

from workers.draft import ArticleBlock
from workers.outputs.allowed import allowed, link_target
from workers.page.blocks import BREAK, TextRun
from workers.page.letters import is_formula
from workers.page.raised import on_the_line

_SPACE = re.compile(r"\s+")
_MAX_MARKS = 8  # elements inside each other around a word; chosen: the Markdown writer recurses for each
FORMULA = "formula"  # the class of our own element around TeX
_MARKS = {
    **dict.fromkeys(("b", "strong"), "strong"),
    **dict.fromkeys(("i", "em", "cite", "dfn", "var"), "em"),
    **dict.fromkeys(("code", "kbd", "samp", "tt"), "code"),
    **dict.fromkeys(("s", "del", "strike"), "del"),
    "sub": "sub",
    "sup": "sup",
    "a": "a",
    "math": "math",
    "script": "math",  # of MathJax
}


def fill(target: _Element, block: ArticleBlock, base: str | None, *, links: bool) -> None:
    """Writes the words of `block` into `target`, an empty element. URLs are relative to `base`.

    If its runs differ from its text, the text is written.
    """
    pieces = _without_breaks_at_the_ends(list(_squeezed(block.runs)))
    if _bare("".join(piece.text for piece in pieces)) != _bare(allowed(block.text)):
        write_lines(target, allowed(block.text))
        return
    writer = _Writer(target, block.element, base, links=links)
    for piece in pieces:
        writer.write(piece)
    writer.close()


def _without_breaks_at_the_ends(pieces: list["_Piece"]) -> list["_Piece"]:
    filled = [number for number, piece in enumerate(pieces) if piece.text]
    return pieces[filled[0] : filled[-1] + 1] if filled else []


def write_lines(target: _Element, text: str) -> None:
    """Writes `text` into `target`, an empty element, with line breaks for line feeds."""
    first, *others = text.split("\n")
    target.text = first
    for line in others:
        SubElement(target, "br").tail = line


class _Piece(NamedTuple):
    """A run's words with single spaces; `is_apart`: a space stands before them."""

    text: str
    is_apart: bool
    run: TextRun


def _squeezed(runs: Iterable[TextRun]) -> Iterator[_Piece]:
    """Yields the words of runs and the line breaks, without spaces at the ends of lines."""
    waiting, started = False, False
    for run in runs:
        if _is_break(run):
            yield _Piece("", False, run)
            waiting, started = False, False
            continue
        text = _SPACE.sub(" ", allowed(run.text))
        words = text.strip(" ")
        if words:
            yield _Piece(words, started and (waiting or text[0] == " "), run)
            started, waiting = True, text[-1] == " "
        elif text:
            waiting = True


def _is_break(run: TextRun) -> bool:
    return run.text == BREAK


def _bare(text: str) -> str:
    return on_the_line(_SPACE.sub("", text))


class _Writer:
    """Writes pieces in order. Collects words until an element begins or ends: each addition to a text copies it."""

    def __init__(self, target: _Element, border: _Element, base: str | None, *, links: bool) -> None:
        self._target = target
        self._base = base
        self._links = links
        self._marks: dict[_Element, tuple[_Element, ...]] = {border: ()}
        self._open: list[tuple[_Element, _Element]] = []  # of the page, of ours
        self._waiting: list[str] = []

    def write(self, piece: _Piece) -> None:
        marks = self._marks_of(piece.run)
        shared = _common_prefix_length([old for old, _ in self._open], marks)
        if shared < len(self._open):
            self.close()
            del self._open[shared:]
        if piece.is_apart:  # between the elements, not in them
            self._waiting.append(" ")
        for mark in marks[shared:]:
            self.close()
            self._open.append((mark, _open(self._innermost(), mark, self._base)))
        if _is_break(piece.run):
            self.close()
            SubElement(self._innermost(), "br")
        else:
            self._waiting.append(piece.text)

    def close(self) -> None:
        """Writes the collected words."""
        if self._waiting:
            _append(self._innermost(), "".join(self._waiting))
            self._waiting = []

    def _innermost(self) -> _Element:
        return self._open[-1][1] if self._open else self._target

    def _marks_of(self, run: TextRun) -> tuple[_Element, ...]:
        """Returns the inline elements around a run that outputs keep, outermost first."""
        new: list[_Element] = []
        element = run.element.getparent() if run.is_tail else run.element
        while element is not None and element not in self._marks:
            new.append(element)
            element = element.getparent()
        marks = self._marks[element] if element is not None else ()
        for each in reversed(new):
            is_mark = each.tag in _MARKS or is_formula(each)
            if is_mark and len(marks) < _MAX_MARKS and (self._links or each.tag != "a"):
                marks = (*marks, each)
            self._marks[each] = marks
        return marks


def _common_prefix_length(old: Sequence[_Element], new: Sequence[_Element]) -> int:
    count = 0
    for before, now in zip(old, new, strict=False):
        if before is not now:
            break
        count += 1
    return count


def _open(parent: _Element, mark: _Element, base: str | None) -> _Element:
    tag = _MARKS.get(mark.tag, "math")  # of an image that stands for a formula
    if tag == "math":
        return SubElement(parent, "span", attrib={"class": FORMULA})
    if tag != "a":
        return SubElement(parent, tag)
    href = link_target(allowed(mark.get("href") or ""), base)
    return SubElement(parent, "a", href=href) if href else SubElement(parent, "span")


def _append(parent: _Element, text: str) -> None:
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text
