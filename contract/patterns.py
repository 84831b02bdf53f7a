"""The rules of patterns of routing keys, for every way out. `contract.events.matches` compares."""

from typing import Final

MAX_PATTERNS: Final = 16  # at once; chosen, because each event is matched against each pattern
MAX_PATTERN_CHARS: Final = 255  # AMQP 0-9-1: a short string
MAX_HASHES: Final = 3  # `#` in a pattern; chosen: the time of a match grows with the key's length to this power

_WORD = "(\\*|#|[^.*#]+)"
PATTERN_SHAPE: Final = f"^{_WORD}(\\.{_WORD})*$"
"""A pattern as a regular expression, for schemas."""


class PatternError(ValueError):
    """The text is no pattern. `rule` names the broken rule, the message says what to do."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


def checked_pattern(pattern: str) -> str:
    """Returns `pattern`, a topic pattern of AMQP 0-9-1.

    Raises:
        PatternError: it is none.
    """
    words = pattern.split(".")
    if not pattern or len(pattern) > MAX_PATTERN_CHARS or any(not word for word in words):
        raise PatternError("words", f"must be words with dots between, at most {MAX_PATTERN_CHARS} characters")
    if any(len(word) > 1 and ("*" in word or "#" in word) for word in words):
        raise PatternError("wildcard", "must have * and # as whole words only")
    if words.count("#") > MAX_HASHES:
        raise PatternError("too_many_hashes", f"must hold # at most {MAX_HASHES} times")
    return pattern
