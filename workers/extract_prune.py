"""What stands in an article without being a part of it, taken out of the tree by what its class or id calls it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from lxml.etree import iterwalk
from lxml.html import HtmlElement

from workers.metadata.sources import words_of

_MAX_SHARE = 0.1  # of the page's prose that may go with one element: a name may be that of the whole page
_MAX_KICKER = 60  # characters; what is longer is a standfirst
_MAX_NAMES = 500  # characters of class and id
_KEPT_TAGS = frozenset({"html", "head", "body", "main", "h1", "script", "style"})
_NO_PROSE = frozenset({"a", "script", "style", "noscript", "template", "svg", "select", "textarea", "button", "head"})
_NAMED_BY_ID = frozenset({"div", "section", "aside", "ul"})  # of a heading or a paragraph, the id is what its text says
_INFOBOX_TAGS = frozenset({"table", "aside"})  # page builders call any box of text so
_PART = re.compile(r"[^\W_]+")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_NOTE_MARK = re.compile(r"\W{0,2}\w{1,3}\W{0,2}")


class _Kind(Enum):
    """What a name says, each with its words in lower case, as they follow one another."""

    BOX = (
        # advertisements
        *("ad", "ads", "adslot", "advert", "adverts", "advertisement", "advertisements", "advertising", "advertentie"),
        *("anzeige", "werbung", "publi", "publicidad", "publicidade", "publicite", "pubblicita", "reklama", "reklame"),
        # other articles
        *("related", "relacionada", "relacionadas", "relacionado", "relacionados", "correlati", "gerelateerd"),
        *("read also", "lire aussi", "leggi anche", "lees ook", "lesen sie auch", "lea tambien", "leia tambem"),
        # subscription
        *("newsletter", "newsletters", "boletin", "boletines", "nieuwsbrief", "infolettre", "mailmag"),
        # what even print leaves out, and MediaWiki's edit links
        *("noprint", "no print", "nonprint", "print none", "print hide", "mw editsection"),
    )
    KICKER = ("kicker", "eyebrow", "overline", "dachzeile", "spitzmarke", "antetitulo", "surtitre", "occhiello")
    INFOBOX = ("infobox",)


_CALLED = {kind: re.compile(rf"(?<!\w)(?:{'|'.join(kind.value)})(?!\w)") for kind in _Kind}


@dataclass(frozen=True, slots=True)
class _Candidate:
    element: HtmlElement
    prose: int  # characters outside links
    headings: int  # h1


def prune(tree: HtmlElement) -> None:
    """Takes advertisements, boxes about other articles, kickers, infoboxes and footnote marks out of `tree`.

    Names count as whole words: `article-ad` is an advertisement, `adventure` is not. An element with more than a tenth
    of the page's prose, or with an `h1`, stays whatever it is called.
    """
    *candidates, page = _candidates(tree)
    for candidate in candidates:
        if candidate.headings == 0 and candidate.prose <= _MAX_SHARE * page.prose:
            candidate.element.drop_tree()


def _candidates(tree: HtmlElement) -> Iterator[_Candidate]:
    """Yields what may go, inner before outer, and `tree` itself at the end."""
    prose = headings = silent = 0
    opened: list[tuple[int, int]] = []
    for event, element in iterwalk(tree, events=("start", "end")):
        if event == "start":
            opened.append((prose, headings))
            silent += element.tag in _NO_PROSE
            headings += element.tag == "h1"
            prose += 0 if silent else len((element.text or "").strip())
            continue
        prose_before, headings_before = opened.pop()
        if element is tree or _is_no_part(element):
            yield _Candidate(element, prose - prose_before, headings - headings_before)
        silent -= element.tag in _NO_PROSE
        prose += 0 if silent else len((element.tail or "").strip())


def _is_no_part(element: HtmlElement) -> bool:
    if element.tag in _KEPT_TAGS:
        return False
    if element.tag == "sup" and _is_note_mark(element):
        return True
    names = element.get("class") or ""
    if element.tag in _NAMED_BY_ID:
        names += f" {element.get('id') or ''}"
    kind = _kind_of(names[:_MAX_NAMES])
    if kind is _Kind.KICKER:
        return 0 < len(words_of(element)) <= _MAX_KICKER
    return kind is _Kind.BOX or (kind is _Kind.INFOBOX and element.tag in _INFOBOX_TAGS)


@lru_cache(maxsize=4096)  # the same few names recur all over a site
def _kind_of(names: str) -> _Kind | None:
    parts = [part for part in _PART.findall(names) if part.isalpha()]  # with digits it may be a hash, as `e4ad26`
    words = " ".join(word for part in parts for word in _WORD.findall(part)).lower()
    return next((kind for kind, pattern in _CALLED.items() if pattern.search(words)), None)


def _is_note_mark(element: HtmlElement) -> bool:
    link = element.find("a")
    return link is not None and "#" in (link.get("href") or "") and _NOTE_MARK.fullmatch(words_of(element)) is not None
