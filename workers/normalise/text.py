"""Text in standard form: NFC, one kind of space, no control characters, mojibake undone."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator

import ftfy
from ftfy.badness import is_bad
from ftfy.chardata import LIGATURES
from ftfy.fixes import fix_surrogates, unescape_html

_MAX_REPAIR_CHARS = 500_000  # ftfy takes up to 8 µs a character, and a parser has seconds
_MAX_MARKS = 30  # on one letter: UAX #15, section 13, "Stream-Safe Text Format"
_SHORT_CHARS = 256  # chosen: in lines up to this length any number of marks does no harm
_MAX_PASSES = 10  # chosen: mojibake can be nested, so each pass that changes the text calls for one more

# Full-width punctuation and curly quotes are right as they are; entities were decoded when the page was read.
_REPAIRS = ftfy.TextFixerConfig(unescape_html=False, fix_character_width=False, uncurl_quotes=False, explain=False)

_LINE_BREAK = re.compile("\r\n|[\r\v\f\u2028\u2029]")
_BLANK_LINES = re.compile("\n{3,}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACE_RUN = re.compile(r"(\s+)")
_TAB = 4  # columns, in code
_BULLET = "- "
_SPACES = "\t\n\v\f\r\u2028\u2029"
# Joiners (U+200C, U+200D) and marks of direction (U+200E, U+200F, U+061C) carry meaning in many scripts, and stay.
_INVISIBLE = (
    (0x00AD, 0x00AD),  # soft hyphen
    (0x180E, 0x180E),  # Mongolian vowel separator
    (0x200B, 0x200B),  # zero-width space
    (0x202A, 0x202E),  # embeddings and overrides of direction
    (0x2060, 0x206F),  # word joiner, invisible operators, isolates, deprecated format characters
    (0xFEFF, 0xFEFF),  # byte order mark
    (0xFFF9, 0xFFFC),  # interlinear annotation, object replacement
    (0xFFFE, 0xFFFF),  # noncharacters
)


def _c1_as_windows_1252(code: int) -> str:
    """Returns the character meant by a C1 control: Windows-1252 read as Latin-1 (one encoding to WHATWG Encoding)."""
    return bytes([code]).decode("windows-1252", "ignore")


C1_LETTERS = {code: _c1_as_windows_1252(code) for code in range(0x80, 0xA0)}
_TABLE: dict[int, str] = {
    **dict.fromkeys(range(0x20), ""),
    **{ord(space): " " for space in _SPACES},
    0x7F: "",
    **C1_LETTERS,
    **{code: "" for first, last in _INVISIBLE for code in range(first, last + 1)},
    **LIGATURES,
}

_CHANGED = re.compile(f"[{re.escape(''.join(map(chr, _TABLE)))}]")
# Every match of `is_bad` has one of these: two characters beyond ASCII side by side, a C1 control, or one of four
# letters. Most lines of Latin letters have none, so a search for them first is faster.
_SUSPECT = re.compile("[^\x00-\x7f]{2}|[\x80-\x9f\u0152\u0153\u00c2\u00c3]")


def normalise_text(text: str, spaced: Collection[int] = ()) -> str:
    """Returns `text` in standard form; a text in standard form is not changed.

    `spaced` are the numbers of lines that keep their spaces and the blank lines among them, such as code.

    Standard form is: NFC; single spaces, none at the ends of lines; one blank line between paragraphs, none between
    list items (`- item`); no control characters except the line feed, no invisible characters. Mojibake is undone line
    by line, in the first half million characters of lines beyond ASCII.
    """
    return "\n".join(line for line, _ in _standard_lines(text, frozenset(spaced)))


def spaced_lines(text: str, spaced: Collection[int]) -> frozenset[int]:
    """Returns the numbers that the lines `spaced` of `text` have in `normalise_text(text, spaced)`."""
    lines = _standard_lines(text, frozenset(spaced))
    return frozenset(number for number, (_, is_spaced) in enumerate(lines) if is_spaced)


def _standard_lines(text: str, spaced: frozenset[int]) -> Iterator[tuple[str, bool]]:
    unified = _LINE_BREAK.sub("\n", text)
    lines = (unified if spaced else _BLANK_LINES.sub("\n\n", unified)).split("\n")
    return _spaced(_cleaned(lines, spaced), spaced)


def normalise_line(text: str) -> str:
    """Returns `text` in standard form on one line: line breaks become spaces."""
    return _clean(text, repair=len(text) <= _MAX_REPAIR_CHARS)


def normalise_markup_line(text: str) -> str:
    """Returns `text` as `normalise_line` does, with HTML entities decoded: some pages escape metadata twice."""
    return normalise_line(unescape_html(text))


def _cleaned(lines: Iterable[str], spaced: frozenset[int]) -> Iterator[str]:
    budget = _MAX_REPAIR_CHARS
    for number, line in enumerate(lines):
        if not line.isascii():
            budget -= len(line)
        yield _clean_words(line, repair=budget >= 0) if number in spaced else _clean(line, repair=budget >= 0)


def _clean_words(line: str, *, repair: bool) -> str:
    """Returns `line` with its words cleaned, and as many spaces between them as there were."""
    pieces = _SPACE_RUN.split(line.expandtabs(_TAB).rstrip())
    return "".join(" " * len(piece) if piece.isspace() else _clean(piece, repair=repair) for piece in pieces)


def _clean(line: str, *, repair: bool) -> str:
    for _ in range(_MAX_PASSES):
        cleaned = _pass(line, repair=repair)
        if cleaned == line:
            break
        line = cleaned
    return line


def _pass(line: str, *, repair: bool) -> str:
    if line.isascii():
        return " ".join(line.translate(_TABLE).split())
    if repair and is_mojibake(line):
        line = ftfy.fix_encoding(line, _REPAIRS)
    if _SURROGATE.search(line):
        line = fix_surrogates(line)
    if len(line) > _SHORT_CHARS:
        line = _bound_marks(line)
    if _CHANGED.search(line):
        line = line.translate(_TABLE)
    return unicodedata.normalize("NFC", " ".join(line.split()))


def is_mojibake(line: str) -> bool:
    """Returns True if `line` looks as if read in a wrong encoding: the result of ftfy's `is_bad`, in less time."""
    return _SUSPECT.search(line) is not None and is_bad(line)


def _bound_marks(line: str) -> str:
    """Returns `line` with at most 30 combining marks in a row: NFC takes time by the square of their number."""
    marks = "".join(char for char in set(line) if unicodedata.combining(char))
    return re.sub(f"([{marks}]{{{_MAX_MARKS}}})[{marks}]+", r"\1", line) if marks else line


def _spaced(lines: Iterable[str], spaced: frozenset[int]) -> Iterator[tuple[str, bool]]:
    """Yields `lines` with one empty line in place of several, and none at the ends and between list items.

    Yields True with those that keep their spaces.
    """
    started = gap = in_list = False
    for number, line in enumerate(lines):
        if number in spaced:
            if gap:
                yield "", False
            yield line, True
            started, gap, in_list = True, False, line.lstrip().startswith(_BULLET)
            continue
        if not line:
            gap = started
            continue
        is_item = line.startswith(_BULLET)
        if gap and not (in_list and is_item):
            yield "", False
        yield line, False
        in_list = is_item or (in_list and not gap)
        started, gap = True, False
