"""Readers' comments on a page, by the names of what holds them."""

from collections.abc import Sequence

from workers.extract.names import BITS
from workers.extract.walk import CODES, Walked

_COMMENT = 1 << BITS["comment"]
_FORM = CODES["form"]
_LEAST_CHARS = 20
_LINKED = 0.5


def find_comments(walked: Walked, kept: Sequence[bool]) -> str | None:
    """Returns the text of the comments, a blank line between two passages; `kept` passages are the article's."""
    passages = zip(walked.passages, kept, strict=True)
    found = [passage.text for passage, keep in passages if not keep and _is_comment(walked, passage.container)]
    worded = [text for text in found if len(text) >= _LEAST_CHARS]
    return "\n\n".join(worded) or None


def _is_comment(walked: Walked, number: int) -> bool:
    held = walked.containers[number]
    return bool(held.inherited & _COMMENT) and held.tag != _FORM
