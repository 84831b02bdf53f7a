"""Signals that an element may hold a title, name or date: its class names, links and first words."""

import re
from enum import StrEnum
from functools import lru_cache

from workers.metadata.byline_words import BEFORE_BY, BY_LABELS, BY_WORDS, LABELS, TRADES, WROTE, any_of
from workers.metadata.calendars import western_numerals
from workers.page.words import word_set

# Every name in _CLASSES begins with one of these. One search for them is far faster than a search for all names.
_HINT = re.compile(
    r"headline|title|author|by|writer|autor|auteur|redakteur|verfasser|journalist|vcard|fn|user|contributor|creator"
    r"|poste[rd]|person|profile|signatur|firma|kuerzel|credit|avatar|date|time|publish|datum|fecha|meta"
)
_AUTHOR_FOLDERS = word_set(
    """author authors autor autora autoren autores autori auteur auteurs autorzy avtor bio blogger bloggers by columnist
    columnists contributor contributors editor editors expert experts journalist journalists journaliste journalistes
    journalisten member members people perfil person persons profil profile profiles profils redakteur redakteure
    redaktion redacteur redazione reporter reporters skribent skribenter staff team user users writer writers yazar
    yazarlar"""
)
_AUTHOR_QUERY = re.compile(r"[?&](?:author|autor|auteur)\w*=\w|[?&]\w*=author(?:&|$)")
_BEFORE_BY = BEFORE_BY | {"reviewed"}
_BY_WORDS = BY_WORDS | word_set(
    """kirjoittanut tekst testo text texte texto yazan haber autorzy بقلم كتب كتبت نوشته מאת โดย ผู้เขียน द्वारा लेखक
    συντάκτης συντάκτρια γράφει κείμενο текст тексты автори tácgiả"""
)
_BY_WORDS |= WROTE
_BY = re.compile(
    rf"\W{{0,3}}(?:(?:(?:{any_of(_BEFORE_BY)})\s+)?(?:{any_of(_BY_WORDS)})(?!\w)\s*[:：]?(?:\s|$)"
    r"|[\u4e00-\u9fff]{0,8}(?:记者|記者|通讯员)\s?[\u4e00-\u9fff]{2,4}(?:[\s、／/]+[\u4e00-\u9fff]{2,6})*[\s〕】）]*$"
    r"|[\u4e00-\u9fff]{2,6}\s?(?:記者|记者)\s*$|글\s[가-힣]{2,4}\s*$|(?:기자|특파원)\s[가-힣]{2,4}\s*$"
    r"|(?:글·사진\s|[가-힣]{2,6}=\S{1,8}\]\s?)?[가-힣]{2,4}(?:[·,\s]+[가-힣]{2,4})*\s?(?:기자|특파원)(?:\s*\S+@\S+)?\s*$"
    r"|(?:Του|Της)\s+[Α-ΩΆ-Ώ]\w+\s+[Α-ΩΆ-Ώ]\w+\s*$|(?:نویسنده|خبرنگار)\s*:"
    rf"|(?:{any_of(LABELS | {'tác giả'})})\s*[:：]|(?:取材・)?(?:{any_of(BY_LABELS)})\s*[:：●・/／＝｜|])",
    re.IGNORECASE,
)
BY_WITHIN = re.compile(
    r"(?<=[\s|,:·–—-])(?:by|von|par|por|door|av|af|przez|autor(?:in)?|author|auteur)\b\s*[:：]?(?:\s+|$)"
    rf"|(?:{any_of(BY_LABELS | {'執筆'})}|автор|текст|συντάκτης|κείμενο|tác giả|yazan|haber|מאת|بقلم|ผู้เขียน|लेखक)"
    r"\s*[:：]",
    re.IGNORECASE,
)
# Who wrote an article, in brackets at the end of its last paragraph.
_BRACKET = re.compile(
    r"[（(【]\s*((?:[\u4e00-\u9fff]{0,8}?(?:记者|記者|通讯员|作者|撰文|撰稿)|文)\s*[:：／/]?\s*[^（()）】]{2,40})[）)】]\s*$"
    r"|\(((?:reporting|writing|text|by|von|автор|текст)\b[^()]{4,150})\)\W*$",
    re.IGNORECASE,
)
_MAX_CREDIT = 170  # characters at the end of a text
# Every byline contains one of these, a sign at its start, or a label. Searching for them first is far faster.
_BY_HINTS = frozenset(
    f"{word}{colon}"
    for words in _BY_WORDS | _BEFORE_BY | LABELS
    for word in words.split()[:1]
    for colon in ("", ":", "：", ".")
) - {"a"} | {"cura"}  # of "a cura di"
_LABEL = re.compile(rf"{any_of(BY_LABELS)}|기자|특파원|tác giả|^Τ[οη][υς]\s|نویسنده|خبرنگار", re.IGNORECASE)
COPYRIGHT = re.compile(r"©|\(c\)|copyright", re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
# With the years of the Persian, the Islamic and the Buddhist calendar, and numerals of other scripts.
_YEAR_ELSEWHERE = re.compile(r"(?<!\d)(?:1[34]|19|20|2[45])\d\d(?!\d)|\d[年년]|〇")
_ASIDE = re.compile(
    # Page builders and blogs call all parts of a page widgets, the article, too.
    r"comment(?!ary)|related|recommend|sidebar|(?<!elementor-)widget(?! blog\b)|(?:page|site|global)-?footer|newsletter"
    r"|most-?(?:read|popular)|teaser|trending|promo(?!ted\b)|disqus|replies|read-?more|more-?(?:news|stories|from)"
)
# Chosen by hand. They select the elements that are read, so the model of authors was trained with them.
MAX_LINE = 120  # characters of a line that holds a name or a date
_MAX_NAME = 40  # characters of a name
_MAX_BYLINE = 400  # characters of a byline
# Two to four words with capitals.
_NAME = re.compile(r"[^\W\d_][\w.'’-]*(?:\s+(?:[a-z]{2,3}\s+)?[^\W\d_a-z][\w.'’-]*){1,3}")
_MAX_NAME_PARTS = 7  # words of a name, with small ones between
_MIN_LINE = 2  # characters of a line


class Signal(StrEnum):
    """The reason why an element may hold a title, name or date."""

    H1 = "h1"
    H2 = "h2"
    TITLE_CLASS = "title class"
    TITLE_PART = "part of the page's title"
    HEADLINE_PROP = "itemprop headline"
    AUTHOR_PROP = "itemprop author"
    AUTHOR_REL = "rel author"
    AUTHOR_LINK = "author link"
    AUTHOR_CLASS = "author class"
    NAME_CLASS = "name class"
    AVATAR = "avatar"
    BY = "by"
    BY_WITHIN = "by within"
    NAME = "name"
    CREDIT = "credit"
    COPYRIGHT = "copyright"
    PUBLISHED_PROP = "itemprop datePublished"
    MODIFIED_PROP = "itemprop dateModified"
    TIME = "time"
    DATE_CLASS = "date class"
    YEAR = "year"


_PROPS = {
    "headline": Signal.HEADLINE_PROP,
    "author": Signal.AUTHOR_PROP,
    "creator": Signal.AUTHOR_PROP,
    "datepublished": Signal.PUBLISHED_PROP,
    "datemodified": Signal.MODIFIED_PROP,
}
_VOCABULARIES = frozenset({"", "schema", "dc", "dcterms"})  # prefixes of RDFa
_DUBLIN_CORE = {"date": Signal.PUBLISHED_PROP, "issued": Signal.PUBLISHED_PROP}
_CLASSES = {  # of names in lower case
    Signal.TITLE_CLASS: re.compile(
        r"headline|(?:entry|post|article|page|story|content)[-_]{0,2}title|\btitle(?:\d|_\w+)?\b"
    ),
    Signal.AUTHOR_CLASS: re.compile(
        r"author(?!i[tsz]|ed)|by-?_?line|writer|(?:^|[\s_-])(?:autor|auteur|autore|redakteur|verfasser|journalist)"
    ),
    Signal.NAME_CLASS: re.compile(
        r"vcard|^fn$|user-?_?name|contributor|(?:^|[\s_-])(?:creator|poster|by)(?:$|[\s_-])|posted-by"
        r"|person(?!al)|profile-?_?name|signature|signatur|firma-?nota|firmante|kuerzel|byl\b|credit"
    ),
    Signal.AVATAR: re.compile(r"avatar|gravatar"),
    Signal.DATE_CLASS: re.compile(r"date|time(?!line)|publish|posted|datum|fecha|(?:entry|post)-?meta"),
}


@lru_cache(maxsize=16384)  # the same few names recur all over a site
def signals_of_names(names: str) -> tuple[Signal, ...]:
    """Returns the signals that a class attribute or an id gives."""
    if not _HINT.search(names.lower()):
        return ()
    found = [signal for name in names.split() for signal in _signals_of_name(name)]
    return tuple(dict.fromkeys(found)) if found else ()


@lru_cache(maxsize=16384)  # and single ones on many sites
def _signals_of_name(name: str) -> tuple[Signal, ...]:
    lower = name.lower()
    return tuple(signal for signal, pattern in _CLASSES.items() if pattern.search(lower)) if _HINT.search(lower) else ()


@lru_cache(maxsize=8192)
def names_aside(names: str) -> bool:
    """Returns True if a class or id attribute is that of comments, teasers and the like."""
    return _ASIDE.search(names.lower()) is not None


def signals_of_itemprop(names: str) -> tuple[Signal, ...]:
    """Returns the signals that an itemprop attribute gives."""
    return tuple(filter(None, map(_PROPS.get, names.lower().split())))


def signals_of_property(names: str) -> tuple[Signal, ...]:
    """Returns the signals that RDFa gives: a term alone, of schema.org, or of Dublin Core."""
    terms = (term.rpartition(":") for term in names.lower().split())
    return tuple(
        signal
        for prefix, _, name in terms
        if prefix in _VOCABULARIES and (signal := _PROPS.get(name) or _DUBLIN_CORE.get(name))
    )


def is_author_link(href: str) -> bool:
    """Returns True if a link leads to an author's page, by the folders in its path or by its query."""
    if "?" in href and _AUTHOR_QUERY.search(href.lower()):
        return True
    if _AUTHOR_FOLDERS.isdisjoint(href.lower().split("/")):
        return False
    *folders, last = href.lower().partition("?")[0].rstrip("/").split("/")
    return bool(last) and not _AUTHOR_FOLDERS.isdisjoint(folders)


def signals_of_text(words: str) -> tuple[Signal, ...]:
    """Returns the signals of `words` at the start of an element or right after it; `words` are not only white space."""
    credit = (Signal.CREDIT,) if credit_in(words) else ()
    if len(words) > _MAX_BYLINE or len(line := words.strip()) < _MIN_LINE:
        return credit
    start = line[:MAX_LINE]  # of a longer line only the first words count
    parts = start.lower().split()
    signals: tuple[Signal, ...] = credit
    if not _BY_HINTS.isdisjoint(parts) or not line[0].isalnum() or (not start.isascii() and _LABEL.search(start)):
        signals += _signals_of_byline(line)
    if len(line) >= MAX_LINE:
        return signals
    if 1 < len(parts) <= _MAX_NAME_PARTS and line[0].isupper() and _is_name(line):
        signals += (Signal.NAME,)
    if _has_year(line):
        signals += (Signal.YEAR,)
    if "©" in line or (line[0] in "C(c" and COPYRIGHT.search(line)):
        signals += (Signal.COPYRIGHT,)
    return signals


def _is_name(line: str) -> bool:
    """Returns True for a name alone, or with a role after it: `Mara Quill, Harbour Correspondent`."""
    name, comma, role = line.partition(",")
    if comma and TRADES.isdisjoint(role.lower().split()):
        return False
    return len(name) <= _MAX_NAME and _NAME.fullmatch(name) is not None


def credit_in(words: str) -> str:
    """Returns who wrote an article, from the brackets at the end of its last words; empty if they do not say."""
    end = words.rstrip(" \n\t。.")[-1:]
    if end not in {")", "）", "】"} or not (match := _BRACKET.search(words[-_MAX_CREDIT:])):
        return ""
    return match[1] or match[2]


def _has_year(line: str) -> bool:
    if line.isascii():
        return ("19" in line or "20" in line) and _YEAR.search(line) is not None
    return _YEAR_ELSEWHERE.search(western_numerals(line)) is not None


def _signals_of_byline(line: str) -> tuple[Signal, ...]:
    if _BY.match(line):
        return (Signal.BY,)
    return (Signal.BY_WITHIN,) if len(line) < MAX_LINE and BY_WITHIN.search(line) else ()
