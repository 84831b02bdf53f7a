"""Chooses the title: the heading of the page that is most like the title in its metadata."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, pairwise

from contract.article import Source
from workers.document import Sourced
from workers.metadata import jsonld
from workers.metadata.elements import ElementRegion, PageElement, short_text
from workers.metadata.kicker import split_heading
from workers.metadata.signals import Signal
from workers.metadata.sources import PageSources
from workers.page.words import bare, jaccard, plain, squeeze, tokens, word_set

_SEPARATOR = re.compile(r"\s+(?:[|·•»«›‹~/–—－-]|::|:)\s+|\s*[|»›｜〉]\s*|\s+_|_\s+")
# What stands between a headline and the rest of a title, after it and before it. A colon after a word is part of it.
_AFTER = re.compile(r"\s*[|»›｜〉_－–—-]|\s+(?:[·•«‹~/:]|::)\s")
_BEFORE = re.compile(r"(?:[|»›｜〉_：－]|\s(?:[·•«‹~/:–—-]|::))\s*$")
# A site's name or section without spaces around the hyphen, as in Chinese: 标题-新华网, 标题_新闻频道_某某网
_CHINESE_SITE = re.compile(
    r"(?:[-_－—]+[^-_－—]{0,8}(?:网|網|网站|在线|新闻|新聞|频道|頻道|日报|日報|晚报|晚報|电子报|電子報|直播))+$"
)
_SECTION = re.compile(r"(?:[-_｜|]|\s[–—·•»/]\s)\s*(\w+)$")
# Names of sections, which stand between a headline and the site's name.
_SECTIONS = word_set(
    """news politics world national local business economy finance money markets sport sports football opinion culture
    entertainment lifestyle life health science technology tech travel food education environment weather video
    politik wirtschaft kultur panorama gesellschaft wissen gesundheit reise lokales politique économie monde société
    santé política economía deportes cultura sociedad mundo economia esportes politica cronaca cultuur sportnieuws
    политика экономика общество спорт культура 政治 财经 財經 体育 體育 娱乐 娛樂 国际 國際 社会 社會 科技
    新闻 新聞 要闻"""
)
_ENDS = " ¶§|·•"
_LOOSE_END = re.compile(r"\s+[-–—:｜]$")
_LABEL = re.compile(r"(?:\w+[\s-]){0,4}\w+\s*[:：]\s+")
# Chosen by hand unless they say otherwise.
_LIKE_SEGMENT = 0.9  # likeness of a heading that is the first part of a page's whole title
_MIN_LIKENESS = 0.3  # of a heading to a reference
_MIN_LIKENESS_MINOR = 0.5  # the same, of other elements than an h1
_MIN_WORDS_ALONE = 3  # of a lone h1 that nothing else confirms; shorter ones are site names
_MIN_WORDS_ANYWHERE = 5  # words of a heading anywhere on the page
_CHANCES = (0.63, 0.9, 0.92, 0.96)  # probability that a title is right, by the number of others that agree; measured
_MAX_SITE_WORDS = 4  # words of a site's name in a title
_MAX_PARTS = 50  # elements within a heading
_MAX_TITLE = 500  # characters
_MIN_PART = 3  # words of a part of the title that stands on the page, to be the headline
_MIN_LAST = 5  # words of a headline after the site's name and a line or hyphen
_MAX_BEFORE = 8  # words of a site's name before the headline

Reference = Sourced[str]


def find_titles(page: PageSources) -> list[Sourced[str]]:
    """Returns possible titles, the best first; the others are the titles in the metadata."""
    references = list(_references(page))
    heading = _heading(page, references) or _lone_heading(page, references) or _minor_heading(page, references)
    return _with_confidence([heading, *references] if heading else references or _any_heading(page))


def _with_confidence(titles: list[Sourced[str]]) -> list[Sourced[str]]:
    """Returns `titles`, the first with its confidence: it grows with the number of others that are equal."""
    if not titles:
        return []
    best, *others = titles
    agreeing = sum(bare(other.value) == bare(best.value) for other in others)
    return [replace(best, confidence=_CHANCES[min(agreeing, len(_CHANCES) - 1)]), *others]


def _references(page: PageSources) -> Iterator[Reference]:
    sites = page.sites
    sources = (
        (Source.JSON_LD, [plain(text) for text in jsonld.strings(page.article.get("headline"))]),
        (Source.OPENGRAPH, page.meta("og:title")),
        (Source.META, page.meta("twitter:title", "citation_title", "dc.title", "parsely-title", "sailthru.title")),
        (Source.META, [page.head.title]),
    )
    for source, texts in sources:
        for text in [text for text in texts if len(text) <= _MAX_TITLE][:2]:
            title = _part_on_page(text, page) or without_site(text, sites, guess=_may_end_in_site(text, page))
            if title and bare(title) not in sites:
                yield Sourced(_tidied(title), source)


def _part_on_page(text: str, page: PageSources) -> str:
    """Returns the part of a title, up to a separator, that also stands on the page by itself; or nothing.

    A part at the start takes precedence, then the longest. What comes before the part is the name of the site: the
    part stands below the heading, and the name not by itself.
    """
    elements = page.main_elements(Signal.TITLE_PART)
    texts = {squeeze(element.text) for element in elements}
    below = {squeeze(element.text) for element in elements if element.position >= page.heading}
    found = [
        part
        for part in texts - {text}
        if len(tokens(part)) >= _MIN_PART
        and not _is_site(part, page.sites)
        and (_starts(text, part) or (part in below and _ends(text, part, texts)))
    ]
    return max(found, key=lambda part: (text.startswith(part), len(part)), default="")


def _starts(text: str, part: str) -> bool:
    return text.startswith(part) and _AFTER.match(text, len(part)) is not None


def _ends(text: str, part: str, texts: set[str]) -> bool:
    before, _, after = text.partition(part)
    name = _BEFORE.sub("", before)
    separate = name != before and name not in texts and len(tokens(before)) <= _MAX_BEFORE
    if not before.rstrip().endswith((":", "：")) and len(tokens(part)) < _MIN_LAST:
        return False  # the site's name, more likely
    return separate and (not after or _AFTER.match(after) is not None)


def _may_end_in_site(text: str, page: PageSources) -> bool:
    """Returns True for the `<title>`, unless all of it stands on the page."""
    return text == page.head.title and all(
        text != squeeze(element.text) for element in page.main_elements(Signal.TITLE_PART)
    )


def _tidied(text: str) -> str:
    """Returns a title without a permalink sign or separator at its end, and with its character references resolved."""
    return plain(_LOOSE_END.sub("", text.rstrip(_ENDS)) or text)


def without_site(text: str, sites: frozenset[str], *, guess: bool = False) -> str:
    """Returns the title `text` without a site's name at its end or start. With `guess`, a short last part is one."""
    cuts = [(match.start(), match.end()) for match in _SEPARATOR.finditer(text)]
    for start, end in cuts:
        if _is_site(text[end:], sites):
            return _without_section(text[:start])
        if _is_site(text[:start], sites) and (start, end) == cuts[0]:
            return without_site(text[end:], sites, guess=guess)
    if guess and (site := _CHINESE_SITE.search(text)) and site.start():
        return text[: site.start()]
    if guess and cuts:
        start, end = cuts[-1]
        if 0 < len(tokens(text[end:])) <= _MAX_SITE_WORDS and len(tokens(text[:start])) >= _MIN_WORDS_ALONE:
            return _without_section(text[:start])
    return text


def _without_section(text: str) -> str:
    section = _SECTION.search(text)
    return text[: section.start()].rstrip() if section and section[1].casefold() in _SECTIONS else text


def _is_site(text: str, sites: frozenset[str]) -> bool:
    words = bare(text)
    return words in sites or words.replace(" ", "") in {site.replace(" ", "") for site in sites}


def _heading(page: PageSources, references: list[Reference]) -> Sourced[str] | None:
    sites = page.sites
    firsts = {bare(part[0]) for text in _whole_titles(page) if (part := _segments(text, least=1)[:1])} - {""}
    best, likeness = None, _MIN_LIKENESS
    for element in page.elements(Signal.H1):
        if bare(element.text) in sites:
            continue
        score = max((jaccard(element.text, reference.value) for reference in references), default=0.0)
        score = max(score, _LIKE_SEGMENT * (bare(element.text) in firsts))
        if score > likeness or (score == likeness and best is None):
            best, likeness = element, score
    return _without_kicker(best, references, sites) if best else None


def _without_kicker(element: PageElement, references: list[Reference], sites: frozenset[str]) -> Sourced[str]:
    """Returns the heading, or the reference that equals it without one of its child elements, such as a kicker."""
    whole = bare(element.text)
    for reference in references:
        if _same_but_spaces(reference.value, element.text) or _same_but_label(reference.value, element.text):
            return reference
    for child in islice(element.node.iterdescendants("*"), _MAX_PARTS):
        words = bare(short_text(child))
        if not words or words == whole:
            continue
        rest = {whole.removeprefix(words).strip(), whole.removesuffix(words).strip()}
        for reference in references:
            if bare(reference.value) in rest - {whole}:
                return reference
    _, headline = split_heading(element.node, element.text)
    return Sourced(_tidied(without_site(headline, sites)), Source.MARKUP)


def _same_but_spaces(reference: str, heading: str) -> bool:
    """Returns True if a heading differs only in spaces, which stand for the ends of its elements."""
    return reference != heading and "".join(reference.split()) == "".join(heading.split())


def _same_but_label(reference: str, heading: str) -> bool:
    label = _LABEL.match(heading)
    return label is not None and heading[label.end() :] == reference


def _whole_titles(page: PageSources) -> list[str]:
    return [text for text in (page.head.title, *page.meta("og:title")[:1]) if text and len(text) <= _MAX_TITLE]


def _lone_heading(page: PageSources, references: list[Reference]) -> Sourced[str] | None:
    elements = {bare(element.text): element for element in page.elements(Signal.H1)}
    if len(elements) != 1:
        return None
    words, element = next(iter(elements.items()))
    count = len(words.split())
    if element.region is ElementRegion.ASIDE or count < _MIN_WORDS_ALONE or words in page.sites:
        return None
    titles = {bare(reference.value) for reference in references}
    if any(words == bare(part) for text in _whole_titles(page) for part in _segments(text)[1:]) and words not in titles:
        return None  # the site's name, which also ends the page's whole title
    titled = element.node in {other.node for other in page.elements(Signal.TITLE_CLASS, Signal.HEADLINE_PROP)}
    if element.region is ElementRegion.ARTICLE or titled or count >= _MIN_WORDS_ANYWHERE:
        return Sourced(_tidied(element.text), Source.MARKUP)
    return None


def _minor_heading(page: PageSources, references: list[Reference]) -> Sourced[str] | None:
    parts = [reference.value for reference in references] + _segments(page.head.title)
    elements = page.main_elements(Signal.HEADLINE_PROP, Signal.H2, Signal.TITLE_CLASS)
    scored = [(max((jaccard(element.text, part) for part in parts), default=0.0), element) for element in elements]
    score, best = max(scored, key=lambda pair: pair[0], default=(0.0, None))
    return Sourced(_tidied(best.text), Source.MARKUP) if best and score >= _MIN_LIKENESS_MINOR else None


def _segments(text: str, *, least: int = 2) -> list[str]:
    """Returns the parts of `text` between separators that have at least `least` words."""
    edges = [0, *(edge for match in _SEPARATOR.finditer(text) for edge in match.span()), len(text)]
    return [text[start:end] for start, end in list(pairwise(edges))[::2] if len(tokens(text[start:end])) >= least]


def _any_heading(page: PageSources) -> list[Sourced[str]]:
    headings = page.main_elements(Signal.H1, Signal.TITLE_CLASS, Signal.H2)
    return [Sourced(heading.text, Source.MARKUP) for heading in headings[:1]]
