"""Assesses a page as a whole: estimates its kind, sets flags, and refuses pages that are not articles."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from contract.article import Flag, PageKind
from contract.reasons import Reason
from workers.failures import Failed
from workers.models.boosted_trees import Rows
from workers.page.blocks import BlockKind, SegmentedPage
from workers.page.declared import is_paid
from workers.page.head import Head
from workers.page.kind import KindProbabilities, kind_features, kind_probabilities
from workers.page.tree import Element
from workers.walls.page_text import consent_share, is_consent_wall, is_login, is_paywalled, offers_consent

# Chosen by hand, so that refusing an index loses nothing of value (docs/decisions.md, "Listings pass, indexes fail").
_ARTICLE = 0.2  # probability of an article, below which a page is flagged as something else
_LISTING = 0.5  # probability from which a page is flagged as a list
_THREAD = 0.5  # probability of a forum from which on elements that look alike are looked at as posts
_INDEX = 0.8  # probability from which a list may be refused
_INDEX_PROSE_CHARS = 200  # characters of the longest paragraph of an index, fewer than this: teasers are shorter
_INDEX_LINKS = 10  # blocks with links on an index, at least
_DOUBTFUL = 0.2  # confidence from which on a list has a text worth keeping
_CONSENT = 0.3  # share of characters about consent from which on a text is flagged
_BUTTON_CHARS = 60  # characters of a button's text, at most
_HIDDEN_CHARS = 100  # characters left out because the page hides them, at least; fewer are a label or a note


@dataclass(frozen=True)
class AssessedPage:
    """A parsed page; `row` are its features."""

    tree: Element
    segmented: SegmentedPage
    head: Head
    row: Rows
    kinds: KindProbabilities

    @cached_property
    def heading(self) -> str:
        """The page's title and its first heading."""
        heads = (block.text for block in self.segmented.blocks if block.kind is BlockKind.HEADING)
        return "\n".join((self.head.title, next(heads, "")))

    @cached_property
    def buttons(self) -> list[str]:
        """The short blocks of the page: labels, links, controls."""
        return [block.text for block in self.segmented.blocks if len(block.text) <= _BUTTON_CHARS]


def assess(tree: Element, segmented: SegmentedPage, head: Head, url: str | None) -> AssessedPage:
    """Returns the page `tree` with its features; `segmented` are its blocks."""
    row = kind_features(tree, segmented, head, url)
    return AssessedPage(tree, segmented, head, row, kind_probabilities(row))


def refuse_other_pages(page: AssessedPage, paragraphs: Sequence[str], confidence: float | None) -> None:
    """Refuses a page that is not an article. `paragraphs` are the text found on it, possibly none.

    `confidence` is the expected F1 of this text.

    Raises:
        Failed: CONSENT_WALL, LOGIN_REQUIRED or LIST_PAGE.
    """
    if is_login(paragraphs, page.heading) and _asks_password(page.tree):
        raise Failed(Reason.LOGIN_REQUIRED, "the page is there to log in")
    if is_consent_wall(paragraphs) and offers_consent(page.buttons):
        raise Failed(Reason.CONSENT_WALL, "the page asks for consent and shows no more")
    if is_index(page, paragraphs, confidence):
        raise Failed(Reason.LIST_PAGE, "the page lists others and has no text of its own")


def is_index(page: AssessedPage, paragraphs: Sequence[str], confidence: float | None) -> bool:
    """Returns True for a page that lists others and has no text of its own: a front page, a section, search results."""
    if confidence is not None and confidence >= _DOUBTFUL:
        return False
    if page.kinds.shares[PageKind.LISTING] < _INDEX or max(map(len, paragraphs), default=0) >= _INDEX_PROSE_CHARS:
        return False
    return sum(1 for block in page.segmented.blocks if block.link) >= _INDEX_LINKS


def is_thread(page: AssessedPage) -> bool:
    """Returns True for a page that is probably a thread of a forum, or a question with its answers."""
    return page.kinds.shares[PageKind.FORUM] >= _THREAD


def page_flags(
    page: AssessedPage, paragraphs: Sequence[str], after: Sequence[str], hidden: float = 0.0
) -> tuple[Flag, ...]:
    """Returns the flags of a page.

    `after` are the blocks that follow the article's `paragraphs`; `hidden` counts the hidden characters left out.
    """
    found = {
        Flag.CONSENT_WALL: consent_share(paragraphs) >= _CONSENT and offers_consent(page.buttons),
        Flag.PAYWALL: is_paid(page.head) or is_paywalled([*paragraphs, *after]),
        Flag.LIST_PAGE: page.kinds.shares[PageKind.LISTING] >= _LISTING,
        Flag.HIDDEN_TEXT: hidden >= _HIDDEN_CHARS,
        Flag.TRUNCATED: page.segmented.is_cut,
        Flag.NOT_AN_ARTICLE: page.kinds.shares[PageKind.ARTICLE] < _ARTICLE,
    }
    return tuple(flag for flag, holds in found.items() if holds)


def _asks_password(tree: Element) -> bool:
    """Returns True if the page has a password field."""
    return any((field.get("type") or "").lower() == "password" for field in tree.iter("input"))
