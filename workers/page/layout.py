"""Features of the layout of a page, from its blocks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.page.blocks import BlockKind, SegmentedPage
from workers.page.class_names import GROUP_BITS
from workers.page.tags import CODES
from workers.page.tree import Element

# The features depend on these numbers: retrain the models after a change. Chosen by hand.
_PROSE_CHARS = 100  # characters of a block of prose, at least
_PROSE_LINKED = 0.3  # share of linked characters in prose, at most
_REPEATS = 3  # siblings of the same shape that make a list, at least
_MAX_TEXT_CHARS = 100_000  # characters of a page in which wordings are counted
_CURRENCIES = ("$", "€", "£", "¥", "₹")
_WORDINGS = {  # substrings of the text in lower case: regular expressions took most of the time here
    "agos": (" ago", " am\n", " pm\n", "vor ", "hace ", "il y a "),
    "adds": ("add to cart", "add to bag", "add to basket", "in den warenkorb", "au panier", "al carrito", "in stock"),
    "replies": (" repl", "\nrepl", "\nquote", "joined", " posts", " views", " votes", " likes", "antwort", "répon"),
}
_GROUPS = ("product", "forum", "comment", "list", "article", "body", "author", "date", "navigation", "related", "note")
_KINDS = (BlockKind.HEADING, BlockKind.ITEM, BlockKind.QUOTE, BlockKind.PREFORMATTED, BlockKind.CELL)
_COUNTED = ("article", "main", "h1", "form", "button", "table", "pre")

LAYOUT_FEATURES = (
    *("log_chars", "log_blocks", "link_share", "boxed_share", "log_prose", "prose_share", "prose_blocks"),
    *(
        "prose_longest",
        "prose_mean",
        "prose_best_share",
        "prose_boxed_share",
        "headings_linked",
        "headings_linked_share",
    ),
    *("repeats", "repeats_share", "repeats_chars", "repeats_linked", "repeats_prose", "log_images", "images_share"),
    *("prices", *_WORDINGS, "questions", "mean_chars", "in_article_share", "log_times", "passwords"),
    *(f"chars_{kind.name.lower()}" for kind in _KINDS),
    *(f"blocks_{kind.name.lower()}" for kind in _KINDS),
    *(f"names_{group}" for group in _GROUPS),
    *(f"count_{tag}" for tag in _COUNTED),
)


@dataclass(frozen=True, slots=True)
class LayoutColumns:
    """The blocks of a page, column by column: characters, linked characters, kinds, containers."""

    chars: NDArray[np.float64]
    linked: NDArray[np.float64]
    kinds: NDArray[np.intp]
    containers: NDArray[np.intp]
    is_prose: NDArray[np.bool_]


def layout_columns(segmented: SegmentedPage) -> LayoutColumns:
    """Returns the columns of a page."""
    blocks = segmented.blocks
    chars = np.array([len(block.text) for block in blocks], float)
    linked = np.minimum(np.array([block.link for block in blocks], float), chars)
    return LayoutColumns(
        chars=chars,
        linked=linked,
        kinds=np.array([block.kind for block in blocks], np.intp),
        containers=np.array([block.container for block in blocks], np.intp),
        is_prose=(chars >= _PROSE_CHARS) & (linked < _PROSE_LINKED * chars),
    )


def layout_features(tree: Element, segmented: SegmentedPage) -> list[float]:
    """Returns one number for each of `LAYOUT_FEATURES`; zeros where the page has no text."""
    if not segmented.blocks:
        return [0.0] * len(LAYOUT_FEATURES)
    page = layout_columns(segmented)
    return [
        *_page_totals(segmented, page),
        *_headings(page),
        *_repeated_containers(segmented, page),
        *_marks(tree, segmented, page),
        *_shares(segmented, page),
        *_counts(segmented),
    ]


def _page_totals(segmented: SegmentedPage, page: LayoutColumns) -> list[float]:
    total = page.chars.sum()
    boxed = segmented.table["box"][page.containers] >= 0
    prose = page.chars[page.is_prose]
    parents = segmented.table["parent"][page.containers[page.is_prose]]
    best = np.bincount(parents, prose).max() if prose.size else 0.0
    return [
        np.log1p(total),
        np.log1p(page.chars.size),
        page.linked.sum() / total,
        page.chars[boxed].sum() / total,
        np.log1p(prose.sum()),
        prose.sum() / total,
        float(prose.size),
        prose.max(initial=0.0),
        prose.mean() if prose.size else 0.0,
        best / max(prose.sum(), 1.0),
        page.chars[boxed & page.is_prose].sum() / max(prose.sum(), 1.0),
    ]


def _headings(page: LayoutColumns) -> list[float]:
    headings = page.kinds == BlockKind.HEADING
    linked = headings & (page.linked > 0.5 * page.chars)
    return [float(linked.sum()), linked.sum() / max(headings.sum(), 1)]


def _repeated_containers(segmented: SegmentedPage, page: LayoutColumns) -> list[float]:
    """Returns features of sibling containers of the same shape (tag and class), with several blocks each."""
    first, end, form = segmented.table["first"], np.array(segmented.ends, np.intp), segmented.table["form"]
    several = end - first >= 2  # noqa: PLR2004 - a headline and one more
    shapes = segmented.table["parent"] * (form.max() + 1) + form
    _, inverse, counts = np.unique(shapes[several], return_inverse=True, return_counts=True)
    repeated = np.flatnonzero(several)[counts[inverse] >= _REPEATS] if counts.size else np.zeros(0, np.intp)
    covered = np.zeros(page.chars.size + 1)
    np.add.at(covered, first[repeated], 1)
    np.add.at(covered, end[repeated], -1)
    inside = np.cumsum(covered)[:-1] > 0
    chars = page.chars[inside].sum()
    return [
        float(counts.max(initial=0)),
        chars / page.chars.sum(),
        chars / max(repeated.size, 1),
        page.linked[inside].sum() / max(chars, 1.0),
        page.chars[inside & page.is_prose].sum() / max(page.chars[page.is_prose].sum(), 1.0),
    ]


def _marks(tree: Element, segmented: SegmentedPage, page: LayoutColumns) -> list[float]:
    text = "\n".join([block.text for block in segmented.blocks])[:_MAX_TEXT_CHARS].lower()
    times = passwords = 0
    for element in tree.iter("time", "input"):
        if element.tag == "time":
            times += 1
        elif (element.get("type") or "").lower() == "password":
            passwords += 1
    articles = segmented.table["article"][page.containers] >= 0
    return [
        np.log1p(len(segmented.images)),
        len(segmented.images) / page.chars.size,
        float(sum(text.count(sign) for sign in _CURRENCIES)),
        *(float(sum(map(text.count, words))) for words in _WORDINGS.values()),
        float(text.count("?")),
        page.chars.mean(),
        page.chars[articles].sum() / page.chars.sum(),
        np.log1p(times),
        float(passwords),
    ]


def _shares(segmented: SegmentedPage, page: LayoutColumns) -> list[float]:
    inherited = segmented.table["inherited"][page.containers]
    total = page.chars.sum()
    return [
        *(page.chars[page.kinds == kind].sum() / total for kind in _KINDS),
        *((page.kinds == kind).mean() for kind in _KINDS),
        *(page.chars[(inherited & 1 << GROUP_BITS[group]) > 0].sum() / total for group in _GROUPS),
    ]


def _counts(segmented: SegmentedPage) -> list[float]:
    tags = np.bincount(segmented.table["tag"], minlength=len(CODES) + 1)
    return [float(tags[CODES[tag]]) for tag in _COUNTED]
