"""Finds hints of who wrote a post and when, anywhere on a page, by links, class names, attributes and dates."""

import re
from collections.abc import Iterator

from workers.metadata.elements import short_text
from workers.metadata.written_dates import dates_in, parse_timestamp
from workers.page.tree import Element
from workers.page.words import squeeze

# Chosen by hand, with the thread pages of WCXB in view.
_NAME_CHARS = 2, 40  # characters of a name, least and most
_NAME_WORDS = 5  # words of a name, at most
_DATE_CHARS = 100  # characters of a text that is looked at for a date
_AUTHOR_ATTRIBUTES = ("data-author", "author", "data-username", "data-user-name", "data-author-name")
_DATE_ATTRIBUTES = ("datetime", "data-time", "data-timestamp", "data-utime", "created-timestamp", "data-date", "title")
_AUTHOR_CLASS = re.compile(
    r"(?:^|[\s_-])(?:(?:post|comment|topic|message|answer|question)?[_-]?(?:author|user|poster|member)[_-]?(?:name|link)?|nick(?:name)?"
    r"|hnuser|bigusername|largeusername|login|names?|display[_-]?name|screen[_-]?name|creator|u-author)(?:$|[\s_-])",
    re.IGNORECASE,
)
_PROFILE = re.compile(
    r"/(?:u|users?|members?|profiles?|people|person|author|id|@|~)/?[\w%@.~-]|/@\w|member\.php|profile\.php|user\.php|viewprofile|[?&;](?:action|do|mode|act)=(?:view)?profile"
    r"|[?&](?:u|uid|user|userid|id|member)=\w|user\?id=|/u-\w|/membres?/|/mitglied|/usuario|/utilisateur|/miembro",
    re.IGNORECASE,
)
_DATED = re.compile(r"\b(?:19|20)\d\d\b.*\d|\d,? (?:19|20)\d\d\b|\d:\d\d|:\Z")
_YEAR = re.compile(r"(?:19|20)\d\d|\d{10}")


def author_in(element: Element) -> tuple[str, bool]:
    """Returns the name that an element gives of an author, empty if it gives none, and if it is surely a name alone."""
    for name in _AUTHOR_ATTRIBUTES:
        if (value := squeeze(element.get(name))) and is_name(value):
            return value, True
    is_profile = element.tag == "a" and _PROFILE.search(element.get("href") or "") is not None
    names = f"{element.get('class') or ''} {element.get('itemprop') or ''}"
    if is_profile or _AUTHOR_CLASS.search(names):
        words = short_text(element)
        return (words, is_profile or len(element) == 0) if is_name(words) else ("", False)
    return "", False


def is_name(words: str) -> bool:
    """True if words may be the name of somebody who writes in a forum."""
    least, most = _NAME_CHARS
    fits = least <= len(words) <= most and words.count(" ") < _NAME_WORDS
    return fits and any(map(str.isalpha, words)) and "http" not in words and not _DATED.search(words)


def date_in(element: Element, language: str) -> str:
    """Returns the date that an element gives in an attribute or in its own words, in ISO 8601, empty if none."""
    for name in _DATE_ATTRIBUTES:
        value = element.get(name)
        if value and len(value) <= _DATE_CHARS and _YEAR.search(value) and (stamp := parse_timestamp(value, language)):
            return stamp.iso
    return next(_dates_of(element, language), "")


def _dates_of(element: Element, language: str) -> Iterator[str]:
    words = [element.text, *(inner.tail for inner in element)]
    for said in words:
        if said and len(said) <= _DATE_CHARS and _YEAR.search(said):
            yield from (found.written.iso for found in dates_in(said, language))
