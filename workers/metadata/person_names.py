"""Extracts the names of persons or other authors from bylines."""

import unicodedata
from functools import lru_cache

from workers.metadata import byline_words
from workers.page.words import bare, plain

# Chosen by hand; not measured.
_MAX_NAME = 60  # characters
_MAX_BYLINE = 1000  # characters
_MAX_WORDS = 6  # words of one name
_PARTICLES = byline_words.PARTICLES | {"of"}  # "of" as in "Bank of England"


def key_of(name: str) -> str:
    """Returns `name` without case, accents and punctuation, to tell whether two sources mean the same author."""
    if name.isascii():
        return bare(name)
    decomposed = unicodedata.normalize("NFKD", name)
    return bare("".join(char for char in decomposed if not unicodedata.combining(char)))


def split_names(text: str, sites: frozenset[str] = frozenset(), *, trusted: bool = True) -> list[str]:
    """Returns the names in the byline `text`, in order, without roles, handles, addresses and dates.

    A text that equals one of `sites` (bare words) is one name. `trusted`: the text holds only names, which may be in
    lower case.
    """
    return list(_split(text[:_MAX_BYLINE], sites, trusted))


@lru_cache(maxsize=1024)  # a page repeats names
def _split(text: str, sites: frozenset[str], trusted: bool) -> tuple[str, ...]:
    text = plain(text)
    if len(text) <= _MAX_NAME and bare(text) in sites:
        return (text,)
    if bracketed := byline_words.BRACKETS.match(text):
        text = bracketed[1]
    text = _strip_by(byline_words.NOISE.sub(" ", text) if byline_words.NOISY.search(text) else text)
    if other := byline_words.OTHER_LABEL.search(text):
        text = text[: other.start()]  # nobody, if it begins with such a label
    names: list[str] = []
    for part in byline_words.BREAK.split(text):
        meant = part if trusted else byline_words.TURN.sub("", part)
        found = _names_of(_strip_by(byline_words.SUFFIX.sub(r" \1", meant)), trusted=trusted)
        if not found and names:
            break  # after a name, a byline continues with a place, a role or a date
        names += found
    return tuple(dict.fromkeys(names))


def _strip_by(text: str) -> str:
    while (shorter := byline_words.BY.sub("", text, count=1)) != text and shorter:
        text = shorter
    return "" if not shorter and text.endswith((":", "：")) else text  # a label alone


def _names_of(part: str, *, trusted: bool) -> list[str]:
    part = byline_words.JOINED_AND.sub(r"\1, ", part)
    pieces = _pieces(part)
    if len(pieces) == 2 and "," in part and all(_is_word(piece) for piece in pieces):  # noqa: PLR2004 - Last, First
        pieces = [f"{pieces[1]} {pieces[0]}"]
    names: list[str] = []
    for piece in pieces:
        if not is_name(piece, trusted=trusted) or (names and len(piece.split()) == 1 < len(names[0].split())):
            break
        names.append(piece)
    return names


def _pieces(part: str) -> list[str]:
    """Returns what may be names in `part`, up to a role after a comma: `Mara Quill, Harbour Correspondent`."""
    pieces: list[str] = []
    end, comma = 0, False
    for match in (*byline_words.AND.finditer(part), None):
        piece = part[end : match.start() if match else len(part)]
        if pieces and comma and _ends_as_role(piece):
            break
        if trimmed := _trim(piece):
            pieces += trimmed.split() if byline_words.CHINESE_NAMES.fullmatch(trimmed) else [trimmed]
        if match:
            end, comma = match.end(), "," in match[0]
    return pieces


def _ends_as_role(piece: str) -> bool:
    """Returns True if `piece` ends with a role, or is a phrase in lower case with one: `redaktor naczelny`."""
    words = [word.strip(".,:") for word in piece.casefold().split()]
    if not words:
        return False
    return words[-1] in byline_words.TRADES or (
        piece.strip()[0].islower() and not byline_words.TRADES.isdisjoint(words)
    )


def _is_word(text: str) -> bool:
    return text.isalpha() and text.istitle() and text.casefold() not in byline_words.ROLES


def _trim(piece: str) -> str:
    """Returns `piece` without a role or degree at its ends, and only half of it if both halves are equal."""
    words = (
        byline_words.DEGREE.sub("", byline_words.REPORTER.sub("", _without_reporter(piece.rpartition(": ")[2])))
        .strip(" \t,.:;&©-–—*_'\"“”«»（）()")
        .split()
    )
    while len(words) > 2 and _is_role(words[-1]) and not byline_words.ORGANISATION.search(piece):  # noqa: PLR2004 - a name's two
        words.pop()
    while len(words) > 2 and _is_role(words[0]):  # noqa: PLR2004 - a name's two words stay
        words.pop(0)
    half = len(words) // 2
    return _cased(" ".join(words[half:] if words[:half] == words[half:] else words))


def _without_reporter(piece: str) -> str:
    return piece if piece.isascii() else byline_words.CHINESE_REPORTER.sub("", piece.strip())


def _cased(name: str) -> str:
    """Returns a person's name in capitals as it is usually written."""
    shouted = name.isupper() and " " in name and not byline_words.ORGANISATION.search(name)
    return name.title() if shouted else name


def _is_role(word: str) -> bool:
    return word.strip(".,:-").casefold() in byline_words.ROLES


def is_name(text: str, *, trusted: bool = True) -> bool:
    """Returns True if `text` may be the name of a person or of an editorial team."""
    words = text.split()
    if not 0 < len(words) <= _MAX_WORDS or not 1 < len(text) <= _MAX_NAME or not any(map(str.isalpha, text)):
        return False
    if not text.isascii() and byline_words.CHINESE_NO_NAME.search(text):
        return False
    if (
        byline_words.NOT_A_NAME.search(text)
        or byline_words.STAMP.search(text)
        or (len(words) > 1 and any(map(str.isdigit, text)))
    ):
        return False
    lower = [word.casefold().strip(".,:") for word in words]
    if len(words) == 1:
        return lower[0] not in byline_words.NO_NAME_ALONE
    if byline_words.ROLES.issuperset(lower) or lower[0] in byline_words.NEVER:
        return False
    return trusted or _is_spelt_as_name(words, lower)


def _is_spelt_as_name(words: list[str], lower: list[str]) -> bool:
    stray = lower[-1] in byline_words.TRADES or not byline_words.NEVER.isdisjoint(lower)
    return not stray and all(map(_is_capital, words))


def _is_capital(word: str) -> bool:
    first = next((char for char in word if char.isalpha()), "")
    return not first.islower() or "’" in word or "'" in word or word.casefold() in _PARTICLES


def is_handle(name: str) -> bool:
    """Returns True if `name` looks like a log-in name: one word with digits, dots or unusual capitals."""
    if not name.isascii() or " " in name:
        return False
    mixed = not name.isupper() and not name[1:].islower()
    return name[0].islower() or mixed or not name.isalpha()


def is_company(name: str) -> bool:
    """Returns True if `name` ends with the legal form of a company, or begins with it where that is usual."""
    return byline_words.COMPANY.search(name) is not None


def is_organisation(name: str, sites: frozenset[str]) -> bool:
    """Returns True if `name` is that of a publisher, an agency or an editorial team. `sites` are bare words."""
    words = bare(name)
    squashed = words.replace(" ", "")
    return bool(byline_words.ORGANISATION.search(name)) or any(squashed == site.replace(" ", "") for site in sites)
