"""Finds the kicker: the few words above a headline that name its topic, which pages join to it with markup."""

import re
from collections.abc import Iterator
from itertools import islice

from contract.article import Source
from workers.document import Sourced
from workers.metadata.elements import short_text
from workers.metadata.signals import Signal
from workers.metadata.sources import PageSources
from workers.metadata.written_dates import parse_written_date
from workers.page.tree import Element
from workers.page.words import bare, squeeze, tokens

# Chosen by hand.
_MAX_WORDS = 8  # words of a kicker
_MAX_CHARS = 80  # characters
_MAX_PARTS = 50  # elements within a heading, or before it, that are looked at
_CLASS = re.compile(
    r"(?:^|[\s_-])(?:kicker|eyebrow|over-?(?:line|title|headline)|top-?line|dachzeile|spitzmarke|rooftitle|ante-?titulo|sur-?titre"
    r"|surtitle|occhiello|pre-?title|pre-?headline|super-?title|head-?kicker|chapeau-?titre)(?:$|[\s_-])",
    re.IGNORECASE,
)
_PATH = re.compile(r"\s[/›»>|]\s")  # a breadcrumb
_LABELS = frozenset(
    {"title", "updated", "published", "article", "blog", "home", "resources", "contact us", "menu", "share"}
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_JOINS = " \t:：|·•–—/-"


def find_kicker(page: PageSources, title: str) -> Sourced[str] | None:
    """Returns the kicker of a page whose title is `title`, None if no markup sets one off from its headline."""
    if not title:
        return None
    found = next((words for words in _candidates(page, title) if _may_be(words, title, page)), None)
    return Sourced(found, Source.MARKUP) if found else None


def split_heading(heading: Element, text: str) -> tuple[str, str]:
    """Returns the kicker that an element of a heading holds, empty if none does, and the rest of its `text`."""
    for child in islice(heading.iterdescendants("*"), _MAX_PARTS):
        words = short_text(child) if _is_named(child) else ""
        if words and text.startswith(words) and (rest := text[len(words) :].strip(_JOINS)):
            return words.strip(_JOINS), rest
    return "", text


def _candidates(page: PageSources, title: str) -> Iterator[str]:
    for heading in page.elements(Signal.H1):
        named, rest = split_heading(heading.node, heading.text)
        if named and bare(rest) == bare(title):
            yield named
        yield from _beside_title(heading.node, heading.text, title)
        if bare(heading.text) == bare(title) or bare(rest) == bare(title):
            yield from _before(heading.node)
    yield from _joined_elsewhere(page, title)


def _beside_title(heading: Element, text: str, title: str) -> Iterator[str]:
    """Yields the words before the title in a heading, if an element of its own or a colon sets them off."""
    if not text.endswith(title) or text == title:
        return
    words = text[: -len(title)].strip(_JOINS)
    parts = {short_text(child).strip(_JOINS) for child in islice(heading.iterdescendants("*"), _MAX_PARTS)}
    if words in parts or text[: -len(title)].rstrip().endswith((":", "：")):
        yield words


def _before(heading: Element) -> Iterator[str]:
    """Yields the words of elements named as kickers that stand right before a heading, or before what holds it."""
    for holder in (heading, heading.getparent()):
        before = holder.getprevious() if holder is not None else None
        if before is not None:
            named = [before, *islice(before.iterdescendants("*"), _MAX_PARTS)]
            yield from (short_text(element).strip(_JOINS) for element in named if _is_named(element))


def _joined_elsewhere(page: PageSources, title: str) -> Iterator[str]:
    """Yields the words before the title in the page's metadata, if they also stand on the page by themselves."""
    alone = {squeeze(element.text).strip(_JOINS) for element in page.main_elements(Signal.TITLE_PART)}
    for text in (*page.meta("og:title")[:1], page.head.title):
        before, _, _ = text.partition(title)
        if before != text and before.rstrip().endswith((":", "：")) and before.strip(_JOINS) in alone:
            yield before.strip(_JOINS)


def _is_named(element: Element) -> bool:
    names = f"{element.get('class') or ''} {element.get('itemprop') or ''}"
    return _CLASS.search(names) is not None or _CLASS.search(_CAMEL.sub("-", names)) is not None


def _may_be(words: str, title: str, page: PageSources) -> bool:
    fits = 0 < len(tokens(words)) <= _MAX_WORDS and len(words) <= _MAX_CHARS
    other = _PATH.search(words) or bare(words) in _LABELS or parse_written_date(words, page.language)
    return fits and not other and bare(words) != bare(title) and bare(words) not in page.sites
