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

_SEPARATOR = re.compile(r"\s+(?:[|·•»«›‹~/–—－-]|::|:)\s+|\s*[|»›｜〉]\s*|\s+_|_\s+|:::\s*")
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
    новости политика экономика общество спорт культура 政治 财经 財經 体育 體育 娱乐 娛樂 国际 國際 社会 社會 科技
    新闻 新聞 要闻"""
)
_HOST = re.compile(r"\w\.[a-z]{2,6}\b", re.IGNORECASE)  # a name such as Gazette.com
_HEADINGS = frozenset({"h2", "h3", "h4"})
_STEP = re.compile(r"\s*[›»〉＞>]\s*")  # between the steps of a path: Home › News › Headline
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
_MIN_STEPS = 2  # of a path, more than these
_MIN_SHORT = 8  # characters of a headline of one or two words after the site's name and a colon
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
    if bare(text) in {bare(element.text) for element in page.main_elements(Signal.H1)}:
        return _heading_before_line(text, page)
    elements = page.main_elements(Signal.TITLE_PART)
    texts = {squeeze(element.text) for element in elements}
    below = {squeeze(element.text) for element in elements if element.position >= page.heading}
    found = [
        part
        for part in texts - {text}
        if (len(tokens(part)) >= _MIN_PART or _is_short_headline(text, part))
        and not _is_site(part, page.sites)
        and (_starts(text, part) or (part in below and _ends(text, part, texts)))
    ]
    return max(found, key=lambda part: (text.startswith(part), len(part)), default="")


def _heading_before_line(text: str, page: PageSources) -> str:
    """Returns the words before a vertical line in `text`, all of it an h1, if they are another heading; or nothing."""
    parts = [part for part in page.main_elements(Signal.TITLE_PART) if part.node.tag in _HEADINGS]
    found = (squeeze(part.text) for part in parts if len(tokens(part.text)) >= _MIN_PART)
    return next((one for one in found if text.startswith(one) and text[len(one) :].lstrip().startswith("|")), "")


def _is_short_headline(text: str, part: str) -> bool:
    """Returns True for a part of few words that is all after a site's name and a colon: `GAZETTE : The ferries`."""
    return len(part) >= _MIN_SHORT and text.endswith(f" : {part}")


def _starts(text: str, part: str) -> bool:
    return text.startswith(part) and _AFTER.match(text, len(part)) is not None


def _ends(text: str, part: str, texts: set[str]) -> bool:
    before, _, after = text.partition(part)
    colon = before.rstrip().endswith((":", "："))
    name = _BEFORE.sub("", before)
    if name == before and colon and _HOST.search(before):
        name = before.rstrip(" :：")
    separate = name != before and name not in texts and len(tokens(before)) <= _MAX_BEFORE
    if not colon and len(tokens(part)) < _MIN_LAST:
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
    if guess and (rest := _without_first_section(text)) != text:
        return without_site(rest, sites, guess=guess)
    if guess and cuts:
        start, end = cuts[-1]
        if 0 < len(tokens(text[end:])) <= _MAX_SITE_WORDS and len(tokens(text[:start])) >= _MIN_WORDS_ALONE:
            return _without_section(text[:start])
    return text


def _without_first_section(text: str) -> str:
    """Returns a page's whole title without a section before the headline: `News - Ferry returns`."""
    first, separator, rest = text.partition(" - ")
    return rest if separator and first.casefold() in _SECTIONS and len(tokens(rest)) >= _MIN_PART else text


def _without_section(text: str) -> str:
    section = _SECTION.search(text)
    return text[: section.start()].rstrip() if section and section[1].casefold() in _SECTIONS else text


def _is_site(text: str, sites: frozenset[str]) -> bool:
    words = bare(text)
    return words in sites or words.replace(" ", "") in {site.replace(" ", "") for site in sites}


def _heading(page: PageSources, references: list[Reference]) -> Sourced[str] | None:
    firsts = {bare(part[0]) for text in _whole_titles(page) if (part := _segments(text, least=1)[:1])} - {""}
    others = page.sites | _beside_headline(page)
    best, most = None, (_MIN_LIKENESS, -len(references))
    for element in page.elements(Signal.H1):
        if bare(element.text) in others:
            continue
        likenesses = [(jaccard(element.text, one.value), -rank) for rank, one in enumerate(references)]
        score = max([*likenesses, (_LIKE_SEGMENT * (bare(element.text) in firsts), -len(references))])
        if score > most or (score == most and best is None):
            best, most = element, score
    return _without_kicker(best, references, page) if best else None


def _beside_headline(page: PageSources) -> set[str]:
    """Returns what the page's whole title has before or after the headline of its other data, as bare words."""
    stated = [*jsonld.strings(page.article.get("headline"))[:1], *page.meta("og:title")[:1]]
    title = page.head.title
    rests = [title[: -len(one)] for one in stated if title.endswith(one)]
    rests += [title[len(one) :] for one in stated if title.startswith(one)]
    return {bare(rest) for rest in rests} - {""}


def _without_kicker(element: PageElement, references: list[Reference], page: PageSources) -> Sourced[str]:
    """Returns the heading, or the reference that equals it without one of its child elements, such as a kicker."""
    whole = bare(element.text)
    for reference in references:
        if _same_but_spaces(reference.value, element.text) or _same_but_label(reference.value, element.text):
            return reference
        if _ends_path(reference.value, element.text):
            return reference
    if linked := _linked(element, references):
        return linked
    if first := _first_line(element, page):
        return Sourced(_tidied(first), Source.MARKUP)
    for child in islice(element.node.iterdescendants("*"), _MAX_PARTS):
        words = bare(short_text(child))
        if not words or words == whole:
            continue
        rest = {whole.removeprefix(words).strip(), whole.removesuffix(words).strip()}
        for reference in references:
            if bare(reference.value) in rest - {whole}:
                return reference
    _, headline = split_heading(element.node, element.text)
    headline = _part_on_page(headline, page) or without_site(headline, page.sites)
    return Sourced(_tidied(_without_section(headline) if "|" in headline else headline), Source.MARKUP)


def _linked(element: PageElement, references: list[Reference]) -> Reference | None:
    """Returns the reference that equals a link in a heading: beside it stand a date, numbers or names."""
    links = {bare(short_text(link)) for link in islice(element.node.iterdescendants("a"), _MAX_PARTS)}
    return next((reference for reference in references if bare(reference.value) in links), None)


def _first_line(element: PageElement, page: PageSources) -> str:
    """Returns the words of a heading before its elements, empty unless the page's whole title has them alone, too.

    Such a heading holds the headline, and below it a standfirst or a date.
    """
    first = squeeze(element.node.text)
    if len(element.node) == 0 or first == element.text or len(tokens(first)) < _MIN_PART:
        return ""
    pieces = {piece.strip() for text in _whole_titles(page) for piece in _SEPARATOR.split(text)}
    return first if first in pieces else ""


def _ends_path(reference: str, heading: str) -> bool:
    """Returns True if a heading is the path of the page within its site, and `reference` its last step."""
    steps = _STEP.split(heading)
    return len(steps) > _MIN_STEPS and bare(steps[-1]) == bare(reference)


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
    if words in _beside_headline(page) or _stands_elsewhere(references, page):
        return None
    titles = {bare(reference.value) for reference in references}
    if any(words == bare(part) for text in _whole_titles(page) for part in _segments(text)[1:]) and words not in titles:
        return None  # the site's name, which also ends the page's whole title
    titled = element.node in {other.node for other in page.elements(Signal.TITLE_CLASS, Signal.HEADLINE_PROP)}
    if element.region is ElementRegion.ARTICLE or titled or count >= _MIN_WORDS_ANYWHERE:
        return Sourced(_tidied(element.text), Source.MARKUP)
    return None


def _stands_elsewhere(references: list[Reference], page: PageSources) -> bool:
    """Returns True if one of `references` is another heading of the page."""
    titles = {bare(reference.value) for reference in references}
    parts = [part for part in page.main_elements(Signal.TITLE_PART) if part.node.tag in _HEADINGS]
    headings = [*parts, *page.main_elements(Signal.HEADLINE_PROP, Signal.H2, Signal.TITLE_CLASS)]
    return any(bare(one.text) in titles and len(tokens(one.text)) >= _MIN_PART for one in headings)


def _minor_heading(page: PageSources, references: list[Reference]) -> Sourced[str] | None:
    stated = [reference.value for reference in references if reference.source is not Source.META]
    segments = _segments(page.head.title)
    if not {bare(segment) for segment in segments}.isdisjoint(map(bare, stated)):
        segments = []  # one of them is the headline, so the others are not
    parts = [reference.value for reference in references] + segments
    elements = [
        element
        for element in page.main_elements(Signal.HEADLINE_PROP, Signal.H2, Signal.TITLE_CLASS)
        if bare(element.text) not in page.sites - {bare(page.head.title)}
    ]
    scored = [(max((jaccard(element.text, part) for part in parts), default=0.0), element) for element in elements]
    score, best = max(scored, key=lambda pair: pair[0], default=(0.0, None))
    if best is None or score < _MIN_LIKENESS_MINOR:
        return None
    return _linked(best, references) or Sourced(_tidied(best.text), Source.MARKUP)


def _segments(text: str, *, least: int = 2) -> list[str]:
    """Returns the parts of `text` between separators that have at least `least` words."""
    edges = [0, *(edge for match in _SEPARATOR.finditer(text) for edge in match.span()), len(text)]
    return [text[start:end] for start, end in list(pairwise(edges))[::2] if len(tokens(text[start:end])) >= least]


def _any_heading(page: PageSources) -> list[Sourced[str]]:
    headings = page.main_elements(Signal.H1, Signal.TITLE_CLASS, Signal.H2)
    return [Sourced(heading.text, Source.MARKUP) for heading in headings[:1]]
