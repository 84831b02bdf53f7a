"""Finds the text that an e-mail quotes from earlier ones, below `On … wrote:` or `-----Original Message-----`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from workers.pasted.lines import count_words
from workers.pasted.mail_header import is_header, is_subject
from workers.pasted.phrases import whole

# Chosen by hand; not measured.
_OWN_WORDS = 12.0  # words of an answer, at least; with fewer (`FYI`) the quoted mail is the text
# Fields in a row that make the header of a quoted mail, at least, and lines in which they are looked for.
_LEAST_HEADER, _HEADER_LINES = 3, 8
_MAX_CHARS = 300  # characters of a line that opens a quote
_LEVEL = re.compile(r"(?:>\s?)+")
_COLON = (":", "：")
_CLOCK = re.compile(r"\d[:.h]\d\d|@")
_SEPARATOR = whole(
    r"[-_\s]{2,}(?:original message|reply message|ursprüngliche nachricht|message d['’]origine|mensaje original"
    r"|messaggio originale|oorspronkelijk bericht|mensagem original|ursprungligt meddelande|opprinnelig melding"
    r"|oprindelig meddelelse|wiadomość oryginalna|исходное сообщение|orijinal mesaj|原始邮件|元のメッセージ)[-_\s]{2,}"
)
_WROTE = whole(
    r"on .+ wrote\s?[:：]",
    r"am .+ (?:schrieb|hat) .*[:：]",
    r"le .+ a écrit\s?[:：]",
    r"el .+ escribió\s?[:：]",
    r"(?:il|in data) .+ ha scritto\s?[:：]",
    r"op .+ (?:schreef|heeft) .*[:：]",
    r"(?:em|a|no dia) .+ escreveu\s?[:：]",
    r"(?:den|på|on|ons|man|tirs?|tors?|fre|lör|lør|sön|søn).* skrev .*[:：]",
    r"(?:w dniu|dnia) .+ (?:napisał\S*|pisze)\s?[:：]",
    r".+ (?:пишет|писала?|написала?|писал\(а\))\s?[:：]",
    r".+ (?:şunu|şunları) yazdı\s?[:：]",
    r".+(?:写道|書きました)\s?[:：]",
)


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    level: int


def split_replies(lines: Sequence[str]) -> Iterator[tuple[Sequence[str], bool]]:
    """Splits lines, repaired and with their quote marks, into runs; yields True with those quoted from earlier mails.

    If the writer added hardly any words, nothing counts as quoted.
    """
    quoted = _find_quoted([_line_of(line) for line in lines])
    start = 0
    for at in range(1, len(lines) + 1):
        if at == len(lines) or quoted[at] != quoted[start]:
            yield lines[start:at], quoted[start]
            start = at


def unquote(line: str) -> str:
    """Removes the quote marks of a mail or a forum. `>50` is a number, not a quotation."""
    return _line_of(line).text if line.startswith(">") else line


def _line_of(line: str) -> _Line:
    match = _LEVEL.match(line) if line.startswith(">") else None
    if not match or (match[0].endswith(">") and line[match.end() :][:1].isdigit()):
        return _Line(line, 0)
    return _Line(line[match.end() :], match[0].count(">"))


def _find_quoted(lines: Sequence[_Line]) -> list[bool]:
    openings = {at: below for at in range(len(lines)) if (below := _opens_quote(lines, at))}
    nothing = [False] * len(lines)
    if not openings:
        return nothing
    quoted, own, at = nothing.copy(), 0.0, 0
    marked: int | None = None  # lines with a higher level than this are quoted
    while at < len(lines):
        line, stop = lines[at], at + 1
        below = openings.get(at, 0) if own >= _OWN_WORDS or not is_header(line.text) else 0
        if below:
            stop = _end_of_quote(lines, below, line.level)
            marked = line.level if stop < len(lines) else marked
        old = below > 0 or (marked is not None and line.level > marked)
        quoted[at:stop] = [old] * (stop - at)
        own += 0.0 if old or is_header(line.text) else count_words(line.text)
        at = stop
    return quoted if own >= _OWN_WORDS else nothing


def _opens_quote(lines: Sequence[_Line], at: int) -> int:
    """Returns the index of the first quoted line if line `at` introduces a quotation, otherwise 0."""
    line = lines[at]
    if len(line.text) > _MAX_CHARS:
        return 0
    if _SEPARATOR.match(line.text) or (is_header(line.text) and _is_whole_header(lines, at)):
        return at + 1
    for stop in (at + 1, at + 2):
        said = " ".join(part.text[:_MAX_CHARS] for part in lines[at:stop])
        if said.endswith(_COLON) and _WROTE.match(said) and _is_attribution(said, lines, stop):
            return stop
    return 0


def _is_whole_header(lines: Sequence[_Line], at: int) -> bool:
    """True if the header of a quoted mail begins at `at`: several fields, with a subject and an address or a time."""
    near = (line.text for line in lines[at : at + _HEADER_LINES])
    header = list(takewhile(is_header, near))
    return len(header) >= _LEAST_HEADER and any(map(is_subject, header)) and any(map(_CLOCK.search, header))


def _is_attribution(said: str, lines: Sequence[_Line], below: int) -> bool:
    """True if `said` introduces a mail and no other text: it has a time or an address, or quote marks follow."""
    following = next((line for line in lines[below:] if line.text), None)
    deeper = following is not None and following.level > lines[below - 1].level
    return deeper or bool(_CLOCK.search(said) and any(map(str.isdigit, said)))


def _end_of_quote(lines: Sequence[_Line], start: int, level: int) -> int:
    """Returns the end of the lines with a higher level than `level`, or of the text if the next line has no higher."""
    following = next((line for line in lines[start:] if line.text), None)
    if following is None or following.level <= level:
        return len(lines)
    return next((at for at in range(start, len(lines)) if lines[at].text and lines[at].level <= level), len(lines))
