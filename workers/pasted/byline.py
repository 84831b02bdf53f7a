"""Finds the by-line in the lines just before the first prose."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from workers.metadata.byline_words import BEFORE_BY, BY_LABELS, BY_WORDS, PARTICLES, any_of
from workers.page.words import ENGLISH_DATE_WORDS
from workers.pasted.lines import Line
from workers.pasted.phrases import DATE, TIME
from workers.pasted.region import is_prose

_NOUNS = r"""
    correspondent|reporter|editor|writer|columnist|journalist|critic
    korrespondent(?:in)?|redakteur(?:in)?|reporterin|journalistin|kolumnist(?:in)?
    correspondante?|journaliste|rédact(?:eur|rice)|chroniqueu(?:r|se)
    corresponsal|redactora?|periodista|columnista|reportera?
    corrispondente|giornalista|inviat[oa]|redattore|redattrice|correspondente|jornalista|repórter|colunista
    verslaggever|verslaggeefster|redacteur|columniste|корреспондент(?:ка)?|обозреватель|журналист(?:ка)?
"""
_DESKS = r"""
    staff|senior|chief|deputy|assistant|associate|contributing|special|managing|foreign|national|international|local|world
    political|politics|transport|health|science|technology|tech|business|economics|economy|financial|finance|education
    environment|climate|energy|sports?|football|arts|culture|media|music|film|fashion|food|travel|religion|legal|crime
    security|defence|defense|diplomatic|home affairs|social affairs|consumer|industry|property|data|investigations?|news
    features?|lifestyle|content|affiliate|junior|biotech|real estate|audience|digital|online
    opinion|europe|asia|africa|us|uk|white house|city|and|&
"""
# Chosen by hand. Fewer lines around the prose lose authors; more lines find some, and more lines that only look like a
# by-line.
_MAX_ROLE_CHARS = 90  # characters of a role after a name
_BEFORE = 14  # lines before the first prose that are searched
_AFTER = 2  # lines from the first prose on that are searched
_MAX_CHARS = 160  # characters of a by-line
_MAX_NAMES = 8  # names in a by-line
_LINES_OF_A_PAGE = 1024  # entries of the cache: each line is read several times. Chosen by hand.
_BY = re.compile(
    rf"(?:(?:{any_of(BEFORE_BY)}|ein beitrag|texte|texto|testo|tekst)\s+)?"
    rf"(?:{any_of(BY_WORDS | BY_LABELS)}|redactora?)\s*(?:[:：]\s*|\s)(?=\S)",
    re.IGNORECASE,
)
_FOR_TEXT = re.compile(
    r"(?:(?:text|texte|texto|testo|tekst|words|interview|entretien|entrevista|intervista|текст|интервью)\s*[:：]"
    r"|авторы?\s*[:：]?|(?:беседовала?|подготовила?|записала?)\s*:?"
    r"|(?:pubblicato|scritto|inserito|postato|publicado|escrito) da\s)\s*(?=\S)",
    re.IGNORECASE,
)
_DATED = re.compile(
    rf"(?:[^\W\d_]+[:.]?\s+){{0,3}}{DATE}(?:[\s,|–-]|\b(?:at|alle|um|à)\b|{TIME}){{0,8}}"
    r"\b(?:by|von|par|por|da|di|door|av|af)\s+(?=\S)",
    re.IGNORECASE,
)
_LABEL = re.compile(
    rf"(?:(?:{any_of(BEFORE_BY)}) )?(?:{any_of(BY_WORDS)})\s*:?\Z",
    re.IGNORECASE,
)
_AND = re.compile(
    r"\s*(?:,|;|&|\band\b|\bund\b|\bet\b|\by\b|\be\b|\ben\b|\bog\b|\boch\b|、)\s*(?:by\s+|von\s+)?", re.IGNORECASE
)
_ROLES = (
    "published|updated|posted|on|in|for|last|about|is|staff|special|photos?|senior|associate|contributing|editor|reporter|"
    "correspondent|follow|email|(?:[\\w-]+ )?writer|veröffentlicht|aktualisiert|publié|publicado"
)
_CUT = re.compile(rf"\s*(?:{DATE}|[|•·/(\[–—@]|\s-\s|(?:\b(?:le|el|il|op|am)\s+)?\d|\b(?:{_ROLES})\b).*", re.IGNORECASE)
_GLUED = re.compile(
    r"(?<=[^\W\d_])(?:Published|Updated|Posted|Follow|Twitter|News|Photo|Staff|Senior).*"
)  # labels that follow a name without a space
_NO_NAMES = """
    the a an our your news staff editor editors newsletter category industry role size home about contact read more
    share team website admin clicking using signing this that
    content affiliate lifestyle national junior senior associate biotech
"""
_NOT_NAME = ENGLISH_DATE_WORDS | frozenset(_NO_NAMES.split())
_UNSPACED_NAME = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2,8}\\Z")
_ELIDED = re.compile("[dl]['’]")  # d’Arc
_NAME_WORDS = (2, 5)  # words of a name, at least and at most


def _either(rows: str) -> str:
    return "|".join(row.strip() for row in rows.strip().splitlines())


_ROLE = re.compile(
    rf"\s*(?:,|\||–|—|\s-)\s*[^,|]{{0,40}}?\b(?:{_either(_NOUNS)})\Z|\s(?:(?:{_either(_DESKS)})\s)*(?:{_either(_NOUNS)})\Z",
    re.IGNORECASE,
)


def before_role(text: str) -> str | None:
    """Returns the text before a role at the end of the line, or None if there is no role."""
    if len(text) > _MAX_ROLE_CHARS:
        return None
    match = _ROLE.search(text)
    return text[: match.start()] if match else None


@dataclass(frozen=True, slots=True)
class Byline:
    """Names in order, and the lines `start` up to `stop` that hold them: two if the first says only `by`."""

    names: tuple[str, ...]
    start: int
    stop: int


def find_byline(lines: Sequence[Line], first_prose: int) -> Byline | None:
    """Returns the by-line nearest before (or just after) the line `first_prose`, or None."""
    before = range(first_prose - 1, max(-1, first_prose - 1 - _BEFORE), -1)
    after = range(first_prose, min(len(lines), first_prose + _AFTER))
    near = (*before, *after)
    said = next((byline for index in near if (byline := _byline_at(lines, index))), None)
    return said or next((byline for index in near if (byline := _role_at(lines, index))), None)


def _byline_at(lines: Sequence[Line], index: int) -> Byline | None:
    if is_prose(lines[index]):
        return None
    if names := names_in(lines[index].text):
        return Byline(names, index, index + 1)
    if index + 1 == len(lines) or not _LABEL.match(lines[index].text):
        return None
    names = split_names(lines[index + 1].text)
    return Byline(names, index, index + 2) if names else None


def _role_at(lines: Sequence[Line], index: int) -> Byline | None:
    names = () if is_prose(lines[index]) else names_before_role(lines[index].text)
    return Byline(names, index, index + 1) if names else None


def names_before_role(text: str) -> tuple[str, ...]:
    """Returns the names of a line like `A B, transport correspondent`, or none."""
    named = before_role(text)
    return split_names(named) if named else ()


def names_in(text: str) -> tuple[str, ...]:
    """Returns the names of a line like `by A B and C D` or `Posted on 4 May 2025 by A B`, or none."""
    return () if len(text) > _MAX_CHARS else _find_names(text)


@lru_cache(_LINES_OF_A_PAGE)
def _find_names(text: str) -> tuple[str, ...]:
    for form in (_BY, _FOR_TEXT, _DATED):
        if match := form.match(text):
            return split_names(text[match.end() :])
    return ()


def split_names(text: str) -> tuple[str, ...]:
    """Returns the names in `A B, C D and E F | rest`: those up to the first part that is not a name."""
    if len(text) > _MAX_CHARS:
        return ()
    names: list[str] = []
    for part in _AND.split(_CUT.sub("", _GLUED.sub("", text)))[:_MAX_NAMES]:
        if not is_name(part):
            break
        names.append(part.strip(" .,:"))
    return tuple(dict.fromkeys(names))


def is_name(text: str) -> bool:
    """True if `text` has the shape of a person's name: two to five words, capitalised or particles."""
    words = text.strip(" .,:").split()
    if len(words) == 1 and _UNSPACED_NAME.match(words[0]):
        return True
    if not _NAME_WORDS[0] <= len(words) <= _NAME_WORDS[1] or not _is_name_word(words[-1]):
        return False
    if any(word.casefold().strip(".") in _NOT_NAME for word in words):
        return False
    return all(_is_name_word(word) or word in PARTICLES for word in words)


def _is_name_word(word: str) -> bool:
    bare = _ELIDED.sub("", word)
    return bare[:1].isalpha() and not bare[0].islower() and all(char.isalpha() or char in ".'’-" for char in bare)
