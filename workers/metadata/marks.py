"""By which names, links and first words an element of a page is worth asking."""

import re
from functools import lru_cache

from workers.metadata.page import Mark
from workers.metadata.words import word_set

PROPS = {
    "headline": Mark.HEADLINE_PROP,
    "author": Mark.AUTHOR_PROP,
    "creator": Mark.AUTHOR_PROP,
    "datepublished": Mark.PUBLISHED_PROP,
    "datemodified": Mark.MODIFIED_PROP,
}
_CLASSES = {  # of names in lower case
    Mark.TITLE_CLASS: re.compile(r"headline|(?:entry|post|article|page|story|content)[-_]{0,2}title|\btitle\b"),
    Mark.AUTHOR_CLASS: re.compile(
        r"author(?!i[tsz]|ed)|by-?_?line|writer|(?:^|[\s_-])(?:autor|auteur|autore|redakteur|verfasser|journalist)"
    ),
    Mark.NAME_CLASS: re.compile(
        r"vcard|^fn$|user-?_?name|contributor|(?:^|[\s_-])(?:creator|poster|by)(?:$|[\s_-])|posted-by"
        r"|person(?!al)|profile-?_?name|signature|signatur|firma-?nota|firmante|kuerzel|byl\b|credit"
    ),
    Mark.AVATAR: re.compile(r"avatar|gravatar"),
    Mark.DATE_CLASS: re.compile(r"date|time(?!line)|publish|posted|datum|fecha|(?:entry|post)-?meta"),
}
_ANY_CLASS = re.compile("|".join(pattern.pattern for pattern in _CLASSES.values()))
_AUTHOR_FOLDERS = word_set(
    """author authors autor autoren autores auteur auteurs bio by columnist columnists contributor contributors
    journalist journalists member members people person persons profile profiles redakteur redakteure redaktion
    reporter reporters staff team user users writer writers"""
)
_BY_WORDS = (
    r"by|von|vom|par|por|di|door|av|af|od|przez|autor(?:in|en)?|author|auteurs?|autore|texte?|texto|testo|tekst|yazan"
    r"|автор|kirjoittanut|بقلم|كتب|מאת"
)
_BY = re.compile(
    r"\W{0,3}(?:(?:(?:words|text|story|written|posted|reported|published|article|review(?:ed)?|analysis|verfasst"
    r"|geschrieben|veröffentlicht|escrito|publicado|publié|écrit|scritto|geschreven|skrevet|skriven)\s+)?"
    rf"(?:{_BY_WORDS})\b\s*[:：]?(?:\s|$)|(?:著者|作者|執筆者?|投稿者|記者|文|글)\s*[:：●・/])",
    re.IGNORECASE,
)
BY_WITHIN = re.compile(
    r"(?<=[\s|,:·–—-])(?:by|von|par|por|door|av|af|przez|autor(?:in)?|author|auteur)\b\s*[:：]?(?:\s+|$)"
    r"|(?:著者|作者|記者|投稿者|執筆)\s*[:：]",
    re.IGNORECASE,
)
_BY_HINTS = frozenset(
    f"{word}{colon}"
    for word in ["by", "von", "par", "por", "door", "av", "af", "przez", "autor", "autorin", "author", "auteur"]
    for colon in ("", ":")
)
_CJK_HINTS = ("者", "執筆")
COPYRIGHT = re.compile(r"©|\(c\)|copyright", re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_ASIDE = re.compile(
    r"comment(?!ary)|related|recommend|sidebar|widget|(?:page|site|global)-?footer|newsletter|most-?(?:read|popular)"
    r"|teaser|trending|promo|disqus|replies|read-?more|more-?(?:news|stories|from)"
)
MAX_LINE = 120  # characters of a line that holds a name or a date
_MAX_NAME = 40
_MAX_BYLINE = 400
# Two to four words with capitals.
_NAME = re.compile(r"\s*[^\W\d_][\w.'’-]*(?:\s+(?:[a-z]{2,3}\s+)?[^\W\d_a-z][\w.'’-]*){1,3}\s*")
_MIN_LINE = 2


@lru_cache(maxsize=16384)  # the same few names recur all over a site
def of_names(names: str) -> tuple[Mark, ...]:
    """Returns the marks that a class attribute gives."""
    found = [mark for name in names.split() for mark in of_name(name)]
    return tuple(dict.fromkeys(found)) if found else ()


@lru_cache(maxsize=16384)
def of_name(name: str) -> tuple[Mark, ...]:
    """Returns the marks that one class name or an id gives."""
    lower = name.lower()
    if not _ANY_CLASS.search(lower):
        return ()
    return tuple(mark for mark, pattern in _CLASSES.items() if pattern.search(lower))


@lru_cache(maxsize=8192)
def names_aside(names: str) -> bool:
    """Tells whether a class or id attribute is that of comments, teasers and the like."""
    return any(map(_is_aside, names.lower().split()))


@lru_cache(maxsize=8192)
def _is_aside(name: str) -> bool:
    return _ASIDE.search(name) is not None


def is_authors(href: str) -> bool:
    """Tells whether a link leads to an author's page, by the folders in its path."""
    *folders, last = href.lower().partition("?")[0].rstrip("/").split("/")
    return bool(last) and not _AUTHOR_FOLDERS.isdisjoint(folders)


def of_words(words: str) -> tuple[Mark, ...]:
    """Returns the marks that the words right inside or right after an element give."""
    size = len(words)
    if size > _MAX_BYLINE or size < _MIN_LINE:
        return ()
    marks: tuple[Mark, ...] = (Mark.BY,) if _BY.match(words) else ()
    if size < MAX_LINE:
        if size <= _MAX_NAME and words.strip()[:1].isupper() and _NAME.fullmatch(words):
            marks += (Mark.NAME,)
        if Mark.BY not in marks and _says_by(words) and BY_WITHIN.search(words):
            marks += (Mark.BY_WITHIN,)
        if ("19" in words or "20" in words) and _YEAR.search(words):
            marks += (Mark.YEAR,)
        if "©" in words or (words[0] in "C(c " and COPYRIGHT.search(words)):
            marks += (Mark.COPYRIGHT,)
    return marks


def _says_by(words: str) -> bool:
    """Tells whether it is worth searching `words` for a byline: this is ten times as fast as the search."""
    return not _BY_HINTS.isdisjoint(words.lower().split()) or (
        not words.isascii() and any(map(words.count, _CJK_HINTS))
    )
