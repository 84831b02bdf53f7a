"""What is measured of each block of a pasted text, for the model that tells the article's lines from the page's."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from workers.models.boosted_trees import Rows
from workers.pasted import line_windows
from workers.pasted.byline import names_in
from workers.pasted.lines import Block
from workers.pasted.noise_rules import Rule, find_date
from workers.pasted.region import Region, is_boilerplate, is_prose, worths

_MAX_WORDS = 120.0  # a longer paragraph is as sure as this
_LINE_CHARS = 400  # of a line are looked at
_SEPARATOR = re.compile(r" [|›»/·•>] ")
_STEM = re.compile(r"[^\W\d_]{4,}|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
_STEM_CHARS = 6
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
    "worth", "noise",
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
_SHORT_WORDS = 4.0  # of a label, or of a heading that opens a box
_BREAKS = ("related", "comments", "bio", "legal")
_WIDE = ("prose", "noise", "item", "closed", "shared", "capitals", "prose_words", "short")
_NEAR = ("words", "prose", "noise", "closed", "item", "gap", "capitals", "shared", "worth", "digits")


@dataclass(frozen=True, slots=True)
class Seen:
    """What the rules made of a text: noise by line, where the article is, which lines they would keep, the title."""

    noise: Sequence[Rule | None]
    region: Region
    kept: Sequence[bool]
    title: int | None


def measure(blocks: Sequence[Block], seen: Seen) -> dict[str, Rows]:
    """Returns the features by name: a value a block."""
    lines = dict(zip((*_LINE_NAMES, *_KIND_NAMES), _lines(blocks, seen.noise).T, strict=True))
    lines["prose_words"] = lines["prose"] * lines["words"]
    lines["short"] = (lines["words"] < _SHORT_WORDS).astype(np.float32)
    columns = {**lines, **_places(lines, seen), **_document(lines, seen)}
    for name in _WIDE:
        columns |= line_windows.means(name, lines[name])
    for name in _NEAR:
        columns |= line_windows.neighbours(name, lines[name])
    return columns


def _lines(blocks: Sequence[Block], noise: Sequence[Rule | None]) -> Rows:
    times = Counter(block.text for block in blocks)
    stems = [set(_stems(block.text)) for block in blocks]
    spread = _spread(blocks, stems)
    worth = worths(blocks, noise)
    rows = [
        (*_line(block), times[block.text], *_said(block), _shared(stems[i], spread), worth[i], *_kinds(noise[i]))
        for i, block in enumerate(blocks)
    ]
    return np.array(rows, np.float32).reshape(len(blocks), len(_LINE_NAMES) + len(_KIND_NAMES))


def _line(block: Block) -> Iterator[float]:
    text = block.text[:_LINE_CHARS]
    words = text.split()
    yield min(block.words, _MAX_WORDS)
    yield min(len(block.text), 1000)
    yield len(text) / max(1, len(words))
    yield block.closed
    yield block.item
    yield block.gap
    yield text.endswith((":", "："))
    yield text.endswith(("?", "!", "？", "！"))
    yield text[:1].islower()
    yield sum(map(str.isdigit, text)) / len(text) if text else 0.0
    yield sum(word[0].isupper() for word in words) / max(1, len(words))
    yield text.count(",") / max(1, len(words))
    yield not _QUOTES.isdisjoint(text)
    yield block.text.endswith(("...", "…"))
    yield bool(_SEPARATOR.search(text))
    yield is_prose(block)
    yield is_boilerplate(block)


def _said(block: Block) -> tuple[bool, bool, bool]:
    return bool(find_date(block.text)), bool(names_in(block.text)), "http" in block.text or "@" in block.text


def _kinds(rule: Rule | None) -> Iterator[bool]:
    yield rule is not None
    for kind in _NOISE_KINDS:
        yield rule in kind


def _stems(text: str) -> Iterator[str]:
    return (word[:_STEM_CHARS] for word in _STEM.findall(text[:_LINE_CHARS].casefold()))


def _spread(blocks: Sequence[Block], stems: Sequence[set[str]]) -> Counter[str]:
    """Returns in how many blocks of prose each word stands."""
    return Counter(stem for block, own in zip(blocks, stems, strict=True) if is_prose(block) for stem in own)


def _shared(stems: set[str], spread: Counter[str]) -> float:
    """Returns the share of a line's words that two blocks of prose have."""
    return sum(spread[stem] > 1 for stem in stems) / len(stems) if stems else 0.0


def _places(lines: dict[str, Rows], seen: Seen) -> dict[str, Rows]:
    """Returns where each block stands: in the region that the rules found, after the title, between prose and noise."""
    count = len(lines["words"])
    at = np.arange(count, dtype=np.float32)
    start, stop = seen.region.start, seen.region.stop
    breaks = np.clip(sum(lines[name] for name in _BREAKS) * (lines["words"] <= _SHORT_WORDS), 0, 1)
    head = np.clip(lines["timestamp"] + lines["named"], 0, 1)
    return {
        "from_start": np.clip(at - start, -50, 200),
        "to_stop": np.clip(stop - 1 - at, -50, 200),
        "inside": ((at >= start) & (at < stop)).astype(np.float32),
        "kept": np.array(seen.kept, np.float32),
        "from_title": np.clip(at - seen.title, -50, 200) if seen.title is not None else np.full(count, -99, np.float32),
        "position": at / max(1, count),
        "words_before": np.cumsum(lines["prose_words"]) - lines["prose_words"],
        "words_after": lines["prose_words"].sum() - np.cumsum(lines["prose_words"]),
        "breaks_before": np.cumsum(breaks) - breaks,
        **line_windows.distances("prose", lines["prose"]),
        **line_windows.distances("noise", lines["noise"]),
        **line_windows.distances("break", breaks),
        **line_windows.distances("head", head),
        **line_windows.distances("gap", lines["gap"]),
    }


def _document(lines: dict[str, Rows], seen: Seen) -> dict[str, Rows]:
    """Returns what is the same for all blocks of a text."""
    count = len(lines["words"])
    words, prose = lines["words"].sum(), lines["prose_words"].sum()
    inside = lines["words"][seen.region.start : seen.region.stop].sum()
    values = {
        "blocks": count,
        "all_words": words,
        "prose_share": prose / max(1.0, words),
        "noise_share": lines["noise"].mean(),
        "gap_share": lines["gap"].mean(),
        "item_share": lines["item"].mean(),
        "inside_share": inside / max(1.0, words),
        "prose_length": prose / max(1.0, lines["prose"].sum()),
    }
    return {name: np.full(count, value, np.float32) for name, value in values.items()}
