"""How much a text says, whatever script it is in."""

import re

_WIDE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\u0e00-\u0e7f\uff66-\uff9f]")
_WIDE_WEIGHT = 1.5  # a character of these scripts says as much as 2.5 of an alphabet


def size_of(text: str) -> float:
    """Returns the length of `text` in characters of an alphabet."""
    if text.isascii():
        return len(text)
    return len(text) + _WIDE_WEIGHT * len(_WIDE.findall(text))
