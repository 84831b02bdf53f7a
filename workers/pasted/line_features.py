"""Features of each line of a pasted text, for the model that separates the article's lines from the page's."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import fsum

import numpy as np

from workers.models.boosted_trees import Rows
from workers.pasted import line_windows
from workers.pasted.byline import names_in
from workers.pasted.line_shapes import SHAPE_NAMES, compared, main_script, shape_row
from workers.pasted.lines import Line
from workers.pasted.noise_rules import Rule, find_date
from workers.pasted.region import Region, is_boilerplate, is_prose, worths

# The features depend on these numbers: retrain the model after a change. Chosen by hand.
_MAX_WORDS = 120.0  # words; longer paragraphs count as this length
_LINE_CHARS = 400  # characters of a line that are read
_SEPARATOR = re.compile(r" [|›»/·•>] ")
_STEM = re.compile(
    r"(?=([\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]{2}))|([^\W\d_\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]{3,})"
)  # pairs of characters of scripts without spaces, and words
_STEM_CHARS = 6  # characters of a word that are compared, in place of stemming
_QUOTES = frozenset('"“”„«»「」『』')

_NOISE_KINDS: tuple[frozenset[Rule], ...] = (
    frozenset({Rule.COUNTER}),
    frozenset({Rule.TIMESTAMP}),
    frozenset({Rule.SHARE_LINE, Rule.PRINT_LINE}),
    frozenset({Rule.CAPTION, Rule.PHOTO_CREDIT}),
    frozenset({Rule.RELATED}),
    frozenset({Rule.PROMPT}),
    frozenset({Rule.COMMENTS}),
    frozenset({Rule.COOKIES, Rule.COPYRIGHT}),
    frozenset({Rule.BIO, Rule.AVATAR}),
    frozenset({Rule.ADVERT, Rule.LOADING}),
    frozenset({Rule.LINK, Rule.ORNAMENT, Rule.BREADCRUMB, Rule.TRUNCATION_MARK}),
)
_LINE_NAMES = (
    "words", "chars", "word_chars", "closed", "item", "gap", "colon", "question", "lower", "digits", "capitals",
    "commas", "quotes", "cut", "separators", "prose", "boilerplate", "repeats", "dated", "named", "linked", "shared",
    "worth", *SHAPE_NAMES, "noise",
)  # fmt: skip
_KIND_NAMES = (
    "counter",
    "timestamp",
    "share",
    "picture",
    "related",
    "prompt",
    "comments",
    "legal",
    "bio",
    "ad",
    "link",
)
_SHORT_WORDS = 4.0  # words of a label, or of the heading of a box, at most; chosen by hand
_BREAKS = ("related", "comments", "bio", "legal")
_WIDE = ("prose", "noise", "item", "closed", "shared", "capitals", "prose_words", "short")
_NEAR = ("words", "prose", "noise", "closed", "item", "gap", "capitals", "shared", "worth", "digits")


@dataclass(frozen=True, slots=True)
class RuleFindings:
    """The result of the rules: noise by line, the region of the article, the lines that they would keep, the title."""

    noise: Sequence[Rule | None]
    region: Region
    kept: Sequence[bool]
    title: int | None


def line_features(lines: Sequence[Line], findings: RuleFindings) -> dict[str, Rows]:
    """Returns the features by name: a value a line."""
    by_line = dict(zip((*_LINE_NAMES, *_KIND_NAMES), _line_table(lines, findings.noise).T, strict=True))
    by_line["prose_words"] = by_line["prose"] * by_line["words"]
    by_line["short"] = (by_line["words"] < _SHORT_WORDS).astype(np.float32)
    columns = {
        **by_line,
        **_places(by_line, findings),
        **_document(by_line, findings),
        **compared(lines, by_line["prose"]),
        "core": _shared_with_core(lines, findings),
    }
    for name in _WIDE:
        columns |= line_windows.means(name, by_line[name])
    for name in _NEAR:
        columns |= line_windows.neighbours(name, by_line[name])
    return columns


def _line_table(lines: Sequence[Line], noise: Sequence[Rule | None]) -> Rows:
    times = Counter(line.text for line in lines)
    stems = [_stems_or_pairs(line.text[:_LINE_CHARS]) for line in lines]
    spread = _spread(lines, stems)
    worth = worths(lines, noise)
    script = main_script(lines)
    rows = [
        (
            *_line_row(line),
            times[line.text],
            *_dated_named_linked(line),
            _share_in_prose(stems[i], spread),
            worth[i],
            *shape_row(line.text, script),
            *_kinds(noise[i]),
        )
        for i, line in enumerate(lines)
    ]
    return np.array(rows, np.float32).reshape(len(lines), len(_LINE_NAMES) + len(_KIND_NAMES))


def _line_row(line: Line) -> Iterator[float]:
    text = line.text[:_LINE_CHARS]
    words = text.split()
    yield min(line.words, _MAX_WORDS)
    yield min(len(line.text), 1000)
    yield len(text) / max(1, len(words))
    yield line.closed
    yield line.item
    yield line.gap
    yield text.endswith((":", "："))
    yield text.endswith(("?", "!", "？", "！"))
    yield text[:1].islower()
    yield sum(map(str.isdigit, text)) / len(text) if text else 0.0
    yield sum(word[0].isupper() for word in words) / max(1, len(words))
    yield text.count(",") / max(1, len(words))
    yield not _QUOTES.isdisjoint(text)
    yield line.text.endswith(("...", "…"))
    yield bool(_SEPARATOR.search(text))
    yield is_prose(line)
    yield is_boilerplate(line)


def _dated_named_linked(line: Line) -> tuple[bool, bool, bool]:
    return bool(find_date(line.text)), bool(names_in(line.text)), "http" in line.text or "@" in line.text


def _kinds(rule: Rule | None) -> Iterator[bool]:
    yield rule is not None
    for kind in _NOISE_KINDS:
        yield rule in kind


@lru_cache(2048)  # chosen: the lines of a long text, which are looked at up to four times; some 10 MB at most
def _stems_or_pairs(text: str) -> frozenset[str]:
    return frozenset((pair or word)[:_STEM_CHARS] for pair, word in _STEM.findall(text.casefold()))


def _spread(lines: Sequence[Line], stems: Sequence[frozenset[str]]) -> Counter[str]:
    """Returns the number of lines of prose that each word occurs in."""
    return Counter(stem for line, own in zip(lines, stems, strict=True) if is_prose(line) for stem in own)


def _share_in_prose(stems: frozenset[str], spread: Counter[str]) -> float:
    """Returns the share of a line's words that occur in at least two lines of prose."""
    return sum(spread[stem] > 1 for stem in stems) / len(stems) if stems else 0.0


def _shared_with_core(lines: Sequence[Line], findings: RuleFindings) -> Rows:
    """Returns the share of each line's words, weighted by rarity, that other lines of the region's prose have."""
    stems = [_stems_or_pairs(line.text[:_LINE_CHARS]) for line in lines]
    inside = range(findings.region.start, findings.region.stop)
    core = Counter(stem for index in inside if is_prose(lines[index]) for stem in stems[index])
    spread = Counter(stem for own in stems for stem in own)
    own = np.array([index in inside and is_prose(lines[index]) for index in range(len(lines))])
    shares = [_weighed(each, core, spread, int(inner)) for each, inner in zip(stems, own, strict=True)]
    return np.array(shares, np.float32)


def _weighed(stems: frozenset[str], core: Counter[str], spread: Counter[str], own: int) -> float:
    whole = fsum(1 / spread[stem] for stem in stems)
    return fsum(1 / spread[stem] for stem in stems if core[stem] > own) / whole if whole else 0.0


def _places(by_line: dict[str, Rows], findings: RuleFindings) -> dict[str, Rows]:
    """Returns features of each line's place: in the rules' region, after the title, between prose and noise."""
    count = len(by_line["words"])
    at = np.arange(count, dtype=np.float32)
    start, stop = findings.region.start, findings.region.stop
    breaks = np.clip(sum(by_line[name] for name in _BREAKS) * (by_line["words"] <= _SHORT_WORDS), 0, 1)
    head = np.clip(by_line["timestamp"] + by_line["named"], 0, 1)
    return {
        "from_start": np.clip(at - start, -50, 200),
        "to_stop": np.clip(stop - 1 - at, -50, 200),
        "inside": ((at >= start) & (at < stop)).astype(np.float32),
        "kept": np.array(findings.kept, np.float32),
        "from_title": np.clip(at - findings.title, -50, 200)
        if findings.title is not None
        else np.full(count, -99, np.float32),
        "position": at / max(1, count),
        "words_before": np.cumsum(by_line["prose_words"]) - by_line["prose_words"],
        "words_after": by_line["prose_words"].sum() - np.cumsum(by_line["prose_words"]),
        "breaks_before": np.cumsum(breaks) - breaks,
        **line_windows.distances("prose", by_line["prose"]),
        **line_windows.distances("noise", by_line["noise"]),
        **line_windows.distances("break", breaks),
        **line_windows.distances("head", head),
        **line_windows.distances("gap", by_line["gap"]),
    }


def _document(by_line: dict[str, Rows], findings: RuleFindings) -> dict[str, Rows]:
    """Returns the features that are the same for all lines of a text."""
    count = len(by_line["words"])
    words, prose = by_line["words"].sum(), by_line["prose_words"].sum()
    inside = by_line["words"][findings.region.start : findings.region.stop].sum()
    values = {
        "blocks": count,
        "all_words": words,
        "prose_share": prose / max(1.0, words),
        "noise_share": by_line["noise"].mean(),
        "gap_share": by_line["gap"].mean(),
        "item_share": by_line["item"].mean(),
        "inside_share": inside / max(1.0, words),
        "prose_length": prose / max(1.0, by_line["prose"].sum()),
    }
    return {name: np.full(count, value, np.float32) for name, value in values.items()}
