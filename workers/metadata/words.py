"""Small measures on words that the resolvers share."""

import html
import re

_SPACE = re.compile(r"\s+")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f\u0e00-\u0e7f"
_TOKEN = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")


def squeeze(text: str | None) -> str:
    """Returns `text` on one line, without soft hyphens and other invisible characters."""
    return _SPACE.sub(" ", _INVISIBLE.sub("", text or "")).strip()


def plain(text: str | None) -> str:
    """Returns an attribute's or JSON string's `text` squeezed, character references resolved, also doubled ones."""
    return squeeze(html.unescape(html.unescape(text or "")))


def word_set(text: str) -> frozenset[str]:
    """Returns the words of `text` as a set."""
    return frozenset(text.split())


def tokens(text: str) -> list[str]:
    """Returns the words of `text` in lower case; Chinese, Japanese and Thai give single characters."""
    return _TOKEN.findall(text.casefold())


def bare(text: str) -> str:
    """Returns `text` as words alone, for asking whether two texts say the same."""
    return " ".join(tokens(text))


def jaccard(one: str, other: str) -> float:
    """Returns the share, in [0, 1], of the words of both texts that they have in common."""
    left, right = set(tokens(one)), set(tokens(other))
    return len(left & right) / len(left | right) if left | right else 0.0
