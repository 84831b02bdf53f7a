"""Repairs Unicode: mojibake, invisible characters, odd spaces, line ends. Every line comes out NFC."""

import re
from unicodedata import normalize

from ftfy import TextFixerConfig, fix_text
from ftfy.badness import is_bad

_FTFY = TextFixerConfig(uncurl_quotes=False, fix_character_width=False, normalization="NFC")
_SPACES = re.compile(r"(\s+)")
_TAB = 4  # columns, in code, as in `workers.normalise.text`
_PASSES = 4  # chosen: one repair can require another, as an entity that stands for an invisible character

_LINE_END = re.compile("\r\n?|[\n\v\f\x1c-\x1e\x85\u2028\u2029]")
_SPACE = re.compile("[\t \xa0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffc\ufffe\uffff\ue000-\uf8ff\ufdd0-\ufdef\U000e0000-\U000e0fff\U000f0000-\U0010ffff]+"
)
# Joiners shape letters of Arabic and Indic scripts and emoji; elsewhere they have no effect.
_LOOSE_JOINER = re.compile("(?<![\u0590-\u1fff\u2190-\U0001ffff])[\u200c\u200d]+|[\u200c\u200d]+(?=[\\s\x00-\u058f]|$)")
_FIXABLE = re.compile("[&\x1b\x80-\x9f\ud800-\udfff]")  # entities, terminal codes, C1 controls, surrogates
_DOUBTFUL = re.compile("[^\x00-\x7f]{2}|[\xc2\xc3] ")  # mojibake makes two or more characters of one
_WORD_BULLET = re.compile("^\\s*[\uf0a7\uf0b7\uf0d8\uf076\uf0fc]\\s+")  # of the fonts Symbol and Wingdings
_LIGATURE = re.compile("[\ufb00-\ufb06]")
_PLAIN = re.compile(r"[\x20-\x25\x27-\x7e]*")


def repair(text: str) -> list[str]:
    """Returns the lines of `text`, repaired, without white space at either end, blank ones as ''."""
    return [repair_line(line) for line in split_lines(text)]


def split_lines(text: str) -> list[str]:
    """Returns the lines of `text` as they are; `repair` has one for each of them."""
    return _LINE_END.split(text)


def repair_code(line: str) -> str:
    """Returns a line of code repaired: its words as `repair_line` has them, the spaces before and between them stay."""
    pieces = _SPACES.split(line.expandtabs(_TAB).rstrip())
    return "".join(" " * len(piece) if piece.isspace() else repair_line(piece) for piece in pieces)


def repair_line(line: str) -> str:
    """Returns one line repaired: NFC, single spaces, nothing invisible."""
    for _ in range(_PASSES):
        repaired = _repair_once(line)
        if repaired == line:
            break
        line = repaired
    return line


def _repair_once(line: str) -> str:
    if not _PLAIN.fullmatch(line):
        line = _fix(line)
        line = _WORD_BULLET.sub("• ", line)
        line = _LOOSE_JOINER.sub("", _INVISIBLE.sub("", line))
        line = normalize("NFC", _LIGATURE.sub(lambda match: normalize("NFKC", match[0]), line))
    return _SPACE.sub(" ", line).strip()


def _fix(line: str) -> str:
    """Applies `fix_text`, but only to lines that it could change: it is the slowest step."""
    if not _FIXABLE.search(line) and not (_DOUBTFUL.search(line) and is_bad(line)):
        return line
    return _LINE_END.sub(" ", fix_text(line, _FTFY))
