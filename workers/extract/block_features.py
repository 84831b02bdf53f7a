"""Computes the features of a page's blocks: of each block, its neighbours, its containers, and the page."""

from typing import Any

import numpy as np

from workers.extract.page_arrays import FAR, SUMMED, PageArrays, last_value, page_arrays, shift, since, until, windows
from workers.extract.readability import readability_features
from workers.extract.text_features import FeatureColumns, flag_columns, text_features
from workers.models.boosted_trees import Rows
from workers.page.blocks import BlockKind, SegmentedPage
from workers.page.class_names import GROUPS
from workers.page.head import Head
from workers.page.tags import CODES

# The features that the model uses, selected by their gain in training.
# fmt: off
BLOCK_FEATURES = (
    "above_article", "above_caption", "above_comment", "above_hidden", "above_navigation", "after_h1", "after_image",
    "article_hops", "article_link", "article_long", "article_share", "best_from", "best_hops", "best_inside",
    "best_share", "best_to", "best_up_from", "best_up_hops", "best_up_inside", "best_up_to", "blocks_1", "blocks_2",
    "blocks_3", "blocks_4", "bold", "box_hops", "box_link", "box_long", "box_share", "commas_2", "commas_3",
    "commas_4", "copies", "copies+1", "dense_from", "dense_hops", "dense_inside", "dense_to", "depth",
    "description_like", "ends", "ends+1", "form_count", "form_link", "form_long", "form_mean", "form_prose",
    "heading_level", "holder_long", "holder_prose", "holder_siblings", "index", "into_2", "italic", "kind", "kind+1",
    "kind-1", "kind-2", "last", "link", "link+1", "link-1", "link_0", "link_1", "link_2", "link_3", "link_4",
    "link_after20", "link_share20", "link_share3", "link_share8", "lists", "long_1", "long_2", "long_after20",
    "mean_0", "mean_1", "mean_3", "mean_4", "own_caption", "own_date", "own_form", "own_hidden", "own_list",
    "own_product", "page_articles", "page_blocks", "page_h1", "page_h2", "page_li", "page_link", "page_long",
    "page_long_share", "page_mean_long", "page_p", "page_prose", "page_size", "place", "prose_after1", "prose_after8",
    "prose_before", "same_form+1", "says_article", "says_credit", "says_letter", "says_more", "says_rights",
    "score_holder", "score_upper", "score_upper2", "share_0", "share_1", "share_2", "share_3", "share_4",
    "since_heading", "since_image", "since_long", "size", "size_after20", "size_after8", "size_before",
    "size_before20", "size_before8", "tag+1", "tag+2", "tag-1", "tag-2", "tag_0", "tag_1", "tag_2", "tag_3", "tag_4",
    "title_like", "under_talk", "until_heading", "until_long", "within_body", "within_caption", "within_comment",
    "within_footer", "within_forum", "within_hidden", "within_list", "within_share", "within_side",
)
# fmt: on
# The features depend on it: retrain the model after a change. Chosen by hand.
_REACHES = (1, 3, 8, 20)  # blocks to either side
_H1, _H2, _H3 = CODES["h1"], CODES["h2"], CODES["h3"]


def block_features(segmented: SegmentedPage, head: Head) -> FeatureColumns:
    """Returns the features of the N >= 1 blocks of a page, a column of N rows each."""
    title = head.first("og:title") or head.title
    says_article = head.first("og:type") == "article" or head.names_date
    columns = text_features(segmented.blocks, segmented.sizes, title, head.first("og:description", "description"))
    arrays = page_arrays(segmented, columns)
    columns |= _neighbours(arrays, columns)
    columns |= _holders(arrays)
    columns |= _boxes(arrays)
    columns |= _names(arrays)
    columns |= readability_features(arrays, columns)
    columns |= _order(arrays, columns)
    columns |= _forms(arrays, columns)
    columns |= _page_columns(arrays, says_article=says_article)
    return columns


def feature_rows(columns: FeatureColumns, names: tuple[str, ...]) -> Rows:
    """Returns the columns called `names`, (N, names)."""
    return np.array([columns[name] for name in names], np.float32).T  # column by column, as trees read them


def _neighbours(arrays: PageArrays, columns: FeatureColumns) -> FeatureColumns:
    own = arrays.levels[0]
    tag, form = arrays.table["tag"][own].astype(np.float32), arrays.table["form"][own].astype(np.float32)
    found: FeatureColumns = {}
    for step in (-2, -1, 1, 2):
        found |= {f"{name}{step:+}": shift(columns[name], step) for name in ("link", "ends", "kind", "copies")}
        found[f"tag{step:+}"] = shift(tag, step)
    found["same_form+1"] = (shift(form, 1) == form).astype(np.float32)
    for reach in _REACHES:
        before, after = windows(arrays.sums, reach)
        found |= {f"{name}_before{reach}": row for name, row in zip(SUMMED, before, strict=True)}
        found |= {f"{name}_after{reach}": row for name, row in zip(SUMMED, after, strict=True)}
        link, size = (before[row] + after[row] for row in (SUMMED.index("link"), SUMMED.index("size")))
        found[f"link_share{reach}"] = link / (1 + size)
    return found


def _holders(arrays: PageArrays) -> FeatureColumns:
    found: FeatureColumns = {}
    for level, held in enumerate(arrays.levels):
        size, count = arrays.within("size", held), arrays.end[held] - arrays.table["first"][held]
        found |= {
            f"tag_{level}": arrays.table["tag"][held],
            f"share_{level}": arrays.within("prose", held) / arrays.total["prose"],
            f"link_{level}": arrays.within("link", held) / np.maximum(size, 1),
            f"blocks_{level}": count,
            f"long_{level}": arrays.within("long", held),
            f"mean_{level}": size / np.maximum(count, 1),
            f"commas_{level}": arrays.within("commas", held) / np.maximum(size, 1),
        }
    own, upper = arrays.levels[0], arrays.levels[2]
    found["depth"] = arrays.table["depth"][own]
    found["lists"] = arrays.table["lists"][own]
    found["into_2"] = np.arange(len(own)) - arrays.table["first"][upper]
    return found


def _boxes(arrays: PageArrays) -> FeatureColumns:
    """Returns features of the box and the `<article>` around each block, -1 if there is none."""
    own = arrays.levels[0]
    depth = arrays.table["depth"]
    found: FeatureColumns = {}
    for name in ("box", "article"):
        number = arrays.table[name][own]
        size = np.maximum(arrays.within("size", number), 1)
        columns = {
            "share": arrays.within("prose", number) / arrays.total["prose"],
            "link": arrays.within("link", number) / size,
            "long": arrays.within("long", number),
            "hops": depth[own] - depth[number],
        }
        found |= {f"{name}_{what}": np.where(number >= 0, column, -1) for what, column in columns.items()}
    return found


def _names(arrays: PageArrays) -> FeatureColumns:
    own = arrays.levels[0]
    flags = {"own": arrays.table["own"][own] | arrays.inline, "within": arrays.table["inherited"][own]}
    flags["above"] = arrays.table["own"][arrays.levels[1]] | arrays.table["own"][arrays.levels[2]]
    return {
        f"{where}_{name}": row
        for where, each in flags.items()
        for name, row in zip(GROUPS, flag_columns(each, len(GROUPS)), strict=True)
    }


def _order(arrays: PageArrays, columns: FeatureColumns) -> FeatureColumns:
    count = len(arrays.long)
    index = np.arange(count, dtype=np.float32)
    own = arrays.table["tag"][arrays.levels[0]]
    heads, h1, long = columns["kind"] == BlockKind.HEADING, own == _H1, arrays.long > 0
    start = int(h1.argmax()) if h1.any() else -1
    before = dict(zip(SUMMED, arrays.sums[:, :-1], strict=True))
    return {
        "index": index,
        "place": index / count,
        "prose_before": before["prose"] / arrays.total["prose"],
        "size_before": before["size"] / arrays.total["size"],
        "since_long": since(long),
        "until_long": until(long),
        "since_heading": since(heads),
        "until_heading": until(heads),
        "after_h1": np.clip(index - start, -FAR, 4 * FAR),
        "heading_level": last_value(np.where(heads, own - _H1 + 1, 0).astype(np.float32)),
        "since_image": since(columns["after_image"] > 0),
    }


def _forms(arrays: PageArrays, columns: FeatureColumns) -> FeatureColumns:
    """Returns features of blocks of the same form: their containers and parents have the same tags and classes.

    A site's template gives all paragraphs of its articles the same form, and each kind of box another one.
    """
    form = arrays.table["form"]
    key = form[arrays.levels[0]] * (len(form) + 1) + form[arrays.levels[1]]
    _, group = np.unique(key, return_inverse=True)
    count, size = np.bincount(group), np.bincount(group, columns["size"])
    link = np.bincount(group, columns["size"] * columns["link"])
    by_group: dict[str, Any] = {
        "count": count,
        "mean": size / count,
        "long": np.bincount(group, arrays.long) / count,
        "prose": np.bincount(group, arrays.prose) / arrays.total["prose"],
        "link": link / np.maximum(size, 1),
    }
    return {f"form_{name}": column[group] for name, column in by_group.items()}


def _page_columns(arrays: PageArrays, *, says_article: bool) -> FeatureColumns:
    count, total = len(arrays.long), arrays.total
    tags = np.bincount(arrays.table["tag"], minlength=len(CODES) + 1)
    facts = {
        "page_blocks": count,
        "page_size": np.log1p(total["size"]),
        "page_long": total["long"],
        "page_prose": np.log1p(total["prose"]),
        "page_link": total["link"] / total["size"],
        "page_long_share": total["long"] / count,
        "page_mean_long": total["prose"] / total["long"],
        "page_h2": tags[_H2] + tags[_H3],
        "says_article": says_article,
    }
    facts |= {f"page_{name}": tags[CODES[tag]] for name, tag in _COUNTED.items()}
    return {name: np.full(count, value, np.float32) for name, value in facts.items()}


_COUNTED = {"articles": "article", "h1": "h1", "p": "p", "li": "li"}
