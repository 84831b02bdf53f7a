"""Cuts pasted text into lines, as its kind needs it, and says which kind it is."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from contract.article import PasteKind
from workers.pasted.byline import names_in
from workers.pasted.code_among_prose import CodeRun, code_lines, find_code, is_fence
from workers.pasted.kinds.rows import MAX_ROWS, Row, rows_of
from workers.pasted.kinds.subtitles import is_cue_frame
from workers.pasted.kinds.table import cells
from workers.pasted.kinds.tell import KindOfPaste, tell
from workers.pasted.lines import Line, line_of, lines_of, list_numbered
from workers.pasted.noise_rules import Rule, find_date
from workers.pasted.quoted_replies import split_replies, unquote
from workers.pasted.repair import repair, repair_line, split_lines
from workers.pasted.strip_html import is_html, untag
from workers.pasted.strip_markdown import front_lines, is_markdown, unmark
from workers.pasted.wrapping import find_column, unwrap

# Kinds whose lines end where their writers ended them.
LINE_KINDS = frozenset({PasteKind.VERSE, PasteKind.CHAT, PasteKind.RECIPE, PasteKind.TABLE, PasteKind.CODE})
_CERTAIN = 0.95  # confidence in a kind that its marks tell; chosen
_SURE = 0.9  # score from which on a kind counts although the lines look hard-wrapped; chosen
_OWN_KINDS = frozenset({PasteKind.CODE, PasteKind.TABLE, PasteKind.SUBTITLES})  # whose lines are cut by their form
# The place of code among the lines of a text: characters that `repair` removes, so no text has them.
_PLACE = re.compile("\ue000(\\d+)\ue001")
_TURN_SIGNS = ("-", "–", "—")  # before what another person says, in subtitles


@dataclass(frozen=True, slots=True)
class PastedLines:
    """The lines of a text.

    `quoted`: of an earlier mail. `formed`: they have the form of the text's kind, or are fenced code. `framing` has
    the rules for lines that are no text, such as the times of subtitles.
    """

    lines: list[Line]
    quoted: Sequence[bool]
    formed: Sequence[bool]
    framing: Sequence[Rule | None]
    kind: KindOfPaste

    def without_code(self) -> "PastedLines":
        """Returns the lines that are not code, each piece of which ends a paragraph."""
        others = [at for at, line in enumerate(self.lines) if not line.code]
        if len(others) == len(self.lines):
            return self
        after = [at > 0 and self.lines[at - 1].code for at in others]
        lines = [replace(self.lines[at], gap=self.lines[at].gap or new) for at, new in zip(others, after, strict=True)]
        quoted, formed = ([rows[at] for at in others] for rows in (self.quoted, self.formed))
        return PastedLines(lines, quoted, formed, [self.framing[at] for at in others], self.kind)


def cut(text: str) -> PastedLines:
    """Returns the lines of pasted text: repaired, unwrapped, without the marks of HTML and Markdown."""
    if is_html(text):
        untagged = untag(text)
        return _of_markup(untagged.lines, PasteKind.HTML, code=untagged.code)
    if is_markdown(text):
        unmarked = unmark(text)
        return _of_markup(unmarked.lines, PasteKind.MARKDOWN, front_lines(text), unmarked.code)
    raws, texts = split_lines(text), repair(text)
    pasted = _cut(raws, texts)
    if pasted.kind.kind in _OWN_KINDS - {PasteKind.CODE}:
        return pasted
    raws = [unquote(raw) for raw in raws]
    code = find_code(raws)
    if pasted.kind.kind is PasteKind.CODE:
        return _without_fences(pasted) if any(run.fenced for run in code) else pasted
    return _with_code(_cut(_without(raws, code), _without(texts, code)), raws, code) if code else pasted


def _without_fences(pasted: PastedLines) -> PastedLines:
    return replace(pasted, framing=[Rule.FENCE if is_fence(line.text) else None for line in pasted.lines])


def _without(texts: Sequence[str], code: Sequence[CodeRun]) -> list[str]:
    """Returns `texts` with the place of each piece of code instead of it."""
    bare = list(texts)
    for number, run in enumerate(code):
        bare[run.start : run.stop] = ["", f"\ue000{number}\ue001", *[""] * (run.stop - run.start - 1)]
    return bare


def _cut(raws: Sequence[str], texts: Sequence[str]) -> PastedLines:
    parts = list(split_replies(texts))
    quotes = any(quoted for _, quoted in parts)
    bare = [unquote(line) for line in texts]
    raws = [unquote(line) for line in raws]
    rows = rows_of(raws, bare)
    column = find_column(bare)
    kind = tell(rows, wrapped=bool(column), quotes=quotes)
    by_lines = kind.kind in LINE_KINDS or kind.kind is PasteKind.SUBTITLES
    if by_lines and (not column or kind.score >= _SURE):
        return _of_rows(raws, bare, rows, kind)
    if column:
        joined = unwrap(bare)
        rows = rows_of(joined, joined)
        kind = tell(rows, wrapped=True, quotes=quotes)
    lines, quoted = _paragraphs(parts)
    formed = _formed(lines, rows, kind)
    return PastedLines(list_numbered(lines), quoted, formed, [None] * len(lines), kind)


def _of_markup(
    raws: Sequence[str], kind: PasteKind, front: Sequence[str] = (), code: Sequence[CodeRun] = ()
) -> PastedLines:
    lines, quoted = _paragraphs(list(split_replies(_without(list(map(repair_line, raws)), code))))
    framing = [
        _front_rule(line.text) if at < len(front) and line.text in front else None for at, line in enumerate(lines)
    ]
    formed = [kind is PasteKind.MARKDOWN] * len(lines)
    pasted = PastedLines(
        list_numbered(lines), quoted, formed, framing, KindOfPaste(kind, _CERTAIN, confidence=_CERTAIN)
    )
    return _with_code(pasted, raws, code)


def _with_code(pasted: PastedLines, raws: Sequence[str], code: Sequence[CodeRun]) -> PastedLines:
    """Returns `pasted` with the code in its places."""
    rows: list[tuple[Line, bool, bool, Rule | None]] = []
    for row in zip(pasted.lines, pasted.quoted, pasted.formed, pasted.framing, strict=True):
        place = _PLACE.fullmatch(row[0].text)
        rows += _rows_of_code(raws, code[int(place[1])], quoted=row[1]) if place else [row]
    if not rows:
        return pasted
    lines, quoted, formed, framing = (list(column) for column in zip(*rows, strict=True))
    return PastedLines(lines, quoted, formed, framing, pasted.kind)


def _rows_of_code(raws: Sequence[str], run: CodeRun, *, quoted: bool) -> Iterator[tuple[Line, bool, bool, Rule | None]]:
    inner = raws[run.start : run.stop]
    fences = is_fence(inner[0]) if run.fenced else False
    if fences:
        yield line_of(repair_line(inner[0]), gap=True, code=True), quoted, True, Rule.FENCE
    for number, line in enumerate(code_lines(inner[1:-1] if fences else inner)):
        yield (line if number else replace(line, gap=True)), quoted, run.fenced, None
    if fences:
        yield line_of(repair_line(inner[-1]), code=True), quoted, True, Rule.FENCE


def _front_rule(text: str) -> Rule:
    """Returns the rule for what a front matter says."""
    if names_in(text):
        return Rule.BYLINE
    return Rule.TIMESTAMP if find_date(text) else Rule.TITLE


def _paragraphs(parts: Sequence[tuple[Sequence[str], bool]]) -> tuple[list[Line], list[bool]]:
    lines: list[Line] = []
    quoted: list[bool] = []
    for texts, is_quoted in parts:
        found = lines_of(unwrap([unquote(text) for text in texts]))
        lines += found
        quoted += [is_quoted] * len(found)
    return lines, quoted


def _formed(lines: Sequence[Line], rows: Sequence[Row], kind: KindOfPaste) -> list[bool]:
    """Returns which lines are those of the kind's form. Where bullets stood alone, lines are fewer than rows."""
    if len(lines) == len(rows) or len(rows) == MAX_ROWS:
        return [min(at, len(rows) - 1) in kind.rows for at in range(len(lines))]
    texts = {rows[index].line.text for index in kind.rows}
    texts |= {line.text for line in lines_of(sorted(texts))}
    return [line.text in texts for line in lines]


def _of_rows(raws: Sequence[str], texts: Sequence[str], rows: Sequence[Row], kind: KindOfPaste) -> PastedLines:
    """Returns the lines of a kind whose lines end where their writers ended them."""
    if kind.kind is PasteKind.SUBTITLES:
        lines, framing = _subtitle_lines(texts)
        return PastedLines(lines, [False] * len(lines), [True] * len(lines), framing, kind)
    if kind.kind is PasteKind.CODE:
        lines = [replace(line, code=False) for line in code_lines(raws)]
    elif kind.kind is PasteKind.TABLE:
        lines = list(_table_lines(raws, texts, rows, kind))
    else:
        lines = lines_of(texts)
    formed = _formed(lines, rows, kind)
    listed = list_numbered(lines) if kind.kind is PasteKind.RECIPE else lines
    return PastedLines(listed, [False] * len(lines), formed, [None] * len(lines), kind)


def _table_lines(raws: Sequence[str], texts: Sequence[str], rows: Sequence[Row], kind: KindOfPaste) -> Iterator[Line]:
    """Yields the rows of a table with ` | ` between their cells, as those of pages have them."""
    formed = {rows[index].line.text for index in kind.rows}
    gap, seen = False, 0
    for raw, text in zip(raws, texts, strict=True):
        if text:
            row = repair(" | ".join(cells(raw)))[0] if text in formed or seen >= MAX_ROWS else text
            yield line_of(row, gap=gap)
            seen += 1
        gap = not text


def _subtitle_lines(texts: Sequence[str]) -> tuple[list[Line], list[Rule | None]]:
    """Returns the speech of subtitles with sentences joined, and the rules for the lines of its frame."""
    kept = [text for text in texts if text]
    lines: list[Line] = []
    framing: list[Rule | None] = []
    spoken: int | None = None  # the line that the next cue may continue
    for text, following in zip(kept, [*kept[1:], None], strict=True):
        if is_cue_frame(text, following):
            lines.append(line_of(text))
            framing.append(Rule.CUE)
        elif spoken is not None and not lines[spoken].closed and not text.startswith(_TURN_SIGNS):
            lines[spoken] = line_of(f"{lines[spoken].text} {text}", item=lines[spoken].item)
        else:
            spoken = len(lines)
            lines += lines_of([text]) or [line_of(text)]
            framing.append(None)
    return lines, framing
