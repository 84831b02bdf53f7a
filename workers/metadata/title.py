"""The title: the heading of the page that says most nearly what its metadata says."""

import re
from collections.abc import Iterator
from itertools import islice, pairwise

from contract.article import Source
from workers.draft import Found
from workers.metadata import jsonld
from workers.metadata.page import Mark, Page, Region, Spot
from workers.metadata.sources import words_of
from workers.metadata.words import bare, jaccard, plain, tokens

_SEPARATOR = re.compile(r"\s+(?:[|·•»«›‹~/–—-]|::|:)\s+|\s*[|»›]\s*|\s+_|_\s+")
_MIN_LIKENESS = 0.3  # of a heading to a reference; anything from .15 to .5 does nearly as well
_MIN_LIKENESS_MINOR = 0.5  # of what is no h1
_MIN_WORDS_ALONE = 3  # of a lone h1 that nothing else confirms; shorter ones are site names
_MIN_WORDS_ANYWHERE = 5
_MAX_SITE_WORDS = 4
_MAX_PARTS = 50  # elements within a heading
_MAX_TITLE = 500  # characters

Reference = Found[str]


def find_titles(page: Page) -> list[Found[str]]:
    """Returns the titles that `page` may have, the best first; the others are its references."""
    references = list(_references(page))
    heading = _heading(page, references) or _lone_heading(page) or _minor_heading(page, references)
    return [heading, *references] if heading else references or _any_heading(page)


def _references(page: Page) -> Iterator[Reference]:
    sites = page.site_names()
    sources = (
        (Source.JSON_LD, [plain(text) for text in jsonld.strings(page.article.get("headline"))]),
        (Source.OPENGRAPH, page.meta("og:title")),
        (Source.META, page.meta("twitter:title", "citation_title", "dc.title", "parsely-title", "sailthru.title")),
        (Source.META, [page.head_title]),
    )
    for source, texts in sources:
        for text in [text for text in texts if len(text) <= _MAX_TITLE][:2]:
            title = without_site(text, sites, guess=text == page.head_title)
            if title and bare(title) not in sites:
                yield Found(title, source)


def without_site(text: str, sites: frozenset[str], *, guess: bool = False) -> str:
    """Returns the title `text` without a site's name at its end or start; `guess` takes a short last part for one."""
    cuts = [(match.start(), match.end()) for match in _SEPARATOR.finditer(text)]
    for start, end in cuts:
        if _is_site(text[end:], sites):
            return text[:start]
        if _is_site(text[:start], sites) and (start, end) == cuts[0]:
            return without_site(text[end:], sites, guess=guess)
    if guess and cuts:
        start, end = cuts[-1]
        if len(tokens(text[end:])) <= _MAX_SITE_WORDS and len(tokens(text[:start])) >= _MIN_WORDS_ALONE:
            return text[:start]
    return text


def _is_site(text: str, sites: frozenset[str]) -> bool:
    words = bare(text)
    return words in sites or words.replace(" ", "") in {site.replace(" ", "") for site in sites}


def _heading(page: Page, references: list[Reference]) -> Found[str] | None:
    sites = page.site_names()
    best, likeness = None, _MIN_LIKENESS
    for spot in page.marked(Mark.H1):
        if bare(spot.text) in sites:
            continue
        score = max((jaccard(spot.text, reference.value) for reference in references), default=0.0)
        if score > likeness or (score == likeness and best is None):
            best, likeness = spot, score
    return _without_kicker(best, references, sites) if best else None


def _without_kicker(spot: Spot, references: list[Reference], sites: frozenset[str]) -> Found[str]:
    """Returns the heading, or the reference that is the heading without one of its child elements."""
    whole = bare(spot.text)
    for child in islice(spot.element.iterdescendants("*"), _MAX_PARTS):
        words = bare(words_of(child))
        if not words or words == whole:
            continue
        rest = {whole.removeprefix(words).strip(), whole.removesuffix(words).strip()}
        for reference in references:
            if bare(reference.value) in rest - {whole}:
                return reference
    return Found(without_site(spot.text, sites), Source.MARKUP)


def _lone_heading(page: Page) -> Found[str] | None:
    spots = {bare(spot.text): spot for spot in page.marked(Mark.H1)}
    if len(spots) != 1:
        return None
    words, spot = next(iter(spots.items()))
    count = len(words.split())
    if spot.region is Region.ASIDE or count < _MIN_WORDS_ALONE or words in page.site_names():
        return None
    titled = spot.element in {other.element for other in page.marked(Mark.TITLE_CLASS, Mark.HEADLINE_PROP)}
    if spot.region is Region.ARTICLE or titled or count >= _MIN_WORDS_ANYWHERE:
        return Found(spot.text, Source.MARKUP)
    return None


def _minor_heading(page: Page, references: list[Reference]) -> Found[str] | None:
    parts = [reference.value for reference in references] + _segments(page.head_title)
    spots = page.proper(Mark.HEADLINE_PROP, Mark.H2, Mark.TITLE_CLASS)
    scored = [(max((jaccard(spot.text, part) for part in parts), default=0.0), spot) for spot in spots]
    score, best = max(scored, key=lambda pair: pair[0], default=(0.0, None))
    return Found(best.text, Source.MARKUP) if best and score >= _MIN_LIKENESS_MINOR else None


def _segments(text: str) -> list[str]:
    edges = [0, *(edge for match in _SEPARATOR.finditer(text) for edge in match.span()), len(text)]
    return [text[start:end] for start, end in list(pairwise(edges))[::2] if len(tokens(text[start:end])) > 1]


def _any_heading(page: Page) -> list[Found[str]]:
    return [Found(spot.text, Source.MARKUP) for spot in page.proper(Mark.H1, Mark.TITLE_CLASS, Mark.H2)[:1]]
