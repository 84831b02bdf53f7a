"""Precision, recall and F1 of texts, by the method of scrapinghub's article-extraction-benchmark (MIT).

Counts token 4-grams as shares of each page; precision and recall are means over pages, F1 is their harmonic mean.
"""

import re
import statistics
from collections import Counter
from collections.abc import Sequence

Row = tuple[float, float, float]  # true and false positives, false negatives: shares of one page

_GRAM = 4  # tokens in an n-gram, as in scrapinghub's benchmark
_CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0e7f\uff66-\uff9f"
_TOKEN = re.compile(rf"[{_CJK}]|[^\W{_CJK}]+")


def compare(truth: str, found: str) -> Row:
    """Returns the shares of one page."""
    wanted, got = _grams(truth), _grams(found)
    true = sum((wanted & got).values())
    surplus, missing = sum(got.values()) - true, sum(wanted.values()) - true
    total = true + surplus + missing
    return (true / total, surplus / total, missing / total) if total else (0, 0, 0)


def f1(rows: Sequence[Row]) -> float:
    """Returns F1 over pages, 0 for none."""
    precisions = [true / (true + surplus) for true, surplus, _ in rows if true + surplus]
    recalls = [true / (true + missing) for true, _, missing in rows if true + missing]
    if not precisions or not recalls:
        return 0
    precision, recall = statistics.fmean(precisions), statistics.fmean(recalls)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0


def _grams(text: str) -> Counter[tuple[str, ...]]:
    words = _TOKEN.findall(text)
    return Counter(tuple(words[i : i + _GRAM]) for i in range(max(1, len(words) - _GRAM + 1)) if words)
