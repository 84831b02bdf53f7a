"""Cuts pasted text into lines, as its kind needs it, and says which kind it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contract.article import PasteKind
from workers.pasted.byline import names_in
from workers.pasted.kinds.rows import Row, rows_of
from workers.pasted.kinds.subtitles import is_cue_frame
from workers.pasted.kinds.table import cells
from workers.pasted.kinds.tell import KindOfPaste, tell
from workers.pasted.lines import Line, line_of, lines_of, list_numbered
from workers.pasted.noise_rules import Rule, find_date
from workers.pasted.quoted_replies import split_replies, unquote
from workers.pasted.repair import repair, repair_code, split_lines
from workers.pasted.strip_html import is_html, untag
from workers.pasted.strip_markdown import front_lines, is_markdown, unmark
from workers.pasted.wrapping import find_column, unwrap

# Kinds whose lines end where their writers ended them.
LINE_KINDS = frozenset({PasteKind.VERSE, PasteKind.CHAT, PasteKind.RECIPE, PasteKind.TABLE, PasteKind.CODE})
_CERTAIN = 0.95  # confidence in a kind that its marks tell; chosen
_SURE = 0.9  # confidence from which on a kind counts although the lines look hard-wrapped; chosen
_TURN_SIGNS = ("-", "–", "—")  # before what another person says, in subtitles


@dataclass(frozen=True, slots=True)
class PastedLines:
    """The lines of a text.

    `quoted`: of an earlier mail. `formed`: they have the form of the text's kind. `framing` has the rules for lines
    that are no text, such as the times of subtitles.
    """

    lines: list[Line]
    quoted: Sequence[bool]
    formed: Sequence[bool]
    framing: Sequence[Rule | None]
    kind: KindOfPaste


def cut(text: str) -> PastedLines:
    """Returns the lines of pasted text: repaired, unwrapped, without the marks of HTML and Markdown."""
    if is_html(text):
        return _of_markup(untag(text), PasteKind.HTML)
    if is_markdown(text):
        return _of_markup(unmark(text), PasteKind.MARKDOWN, front_lines(text))
    texts = repair(text)
    parts = list(split_replies(texts))
    quotes = any(quoted for _, quoted in parts)
    bare = [unquote(line) for line in texts]
    raws = [unquote(line) for line in split_lines(text)]
    rows = rows_of(raws, bare)
    column = find_column(bare)
    kind = tell(rows, wrapped=bool(column), quotes=quotes)
    by_lines = kind.kind in LINE_KINDS or kind.kind is PasteKind.SUBTITLES
    if by_lines and (not column or kind.confidence >= _SURE):
        return _of_rows(raws, bare, rows, kind)
    if column:
        joined = unwrap(bare)
        rows = rows_of(joined, joined)
        kind = tell(rows, wrapped=True, quotes=quotes)
    lines, quoted = _paragraphs(parts)
    formed = _formed(lines, rows, kind)
    return PastedLines(list_numbered(lines), quoted, formed, [None] * len(lines), kind)


def _of_markup(plain: str, kind: PasteKind, front: Sequence[str] = ()) -> PastedLines:
    lines, quoted = _paragraphs(list(split_replies(repair(plain))))
    framing = [
        _front_rule(line.text) if at < len(front) and line.text in front else None for at, line in enumerate(lines)
    ]
    formed = [kind is PasteKind.MARKDOWN] * len(lines)
    return PastedLines(list_numbered(lines), quoted, formed, framing, KindOfPaste(kind, _CERTAIN))


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
    if len(lines) == len(rows):
        return [at in kind.rows for at in range(len(lines))]
    texts = {rows[index].line.text for index in kind.rows}
    texts |= {line.text for line in lines_of(sorted(texts))}
    return [line.text in texts for line in lines]


def _of_rows(raws: Sequence[str], texts: Sequence[str], rows: Sequence[Row], kind: KindOfPaste) -> PastedLines:
    """Returns the lines of a kind whose lines end where their writers ended them."""
    if kind.kind is PasteKind.SUBTITLES:
        lines, framing = _subtitle_lines(texts)
        return PastedLines(lines, [False] * len(lines), [True] * len(lines), framing, kind)
    if kind.kind is PasteKind.CODE:
        lines = list(_code_lines(raws))
    elif kind.kind is PasteKind.TABLE:
        lines = list(_table_lines(raws, texts, rows, kind))
    else:
        lines = lines_of(texts)
    formed = _formed(lines, rows, kind)
    listed = list_numbered(lines) if kind.kind is PasteKind.RECIPE else lines
    return PastedLines(listed, [False] * len(lines), formed, [None] * len(lines), kind)


def _code_lines(raws: Sequence[str]) -> Iterator[Line]:
    repaired = [repair_code(raw) for raw in raws]
    margin = min((len(line) - len(line.lstrip()) for line in repaired if line.strip()), default=0)
    gap = False
    for line in repaired:
        if line.strip():
            yield line_of(line[margin:], gap=gap)
        gap = not line.strip()


def _table_lines(raws: Sequence[str], texts: Sequence[str], rows: Sequence[Row], kind: KindOfPaste) -> Iterator[Line]:
    """Yields the rows of a table with ` | ` between their cells, as those of pages have them."""
    formed = {rows[index].line.text for index in kind.rows}
    gap = False
    for raw, text in zip(raws, texts, strict=True):
        if text:
            row = repair(" | ".join(cells(raw)))[0] if text in formed else text
            yield line_of(row, gap=gap)
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
