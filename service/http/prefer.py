"""The `Prefer` header: how long the client wants to wait (RFC 7240)."""

import re
from collections.abc import Sequence
from typing import Final

from aiohttp import web

PREFER: Final = "Prefer"
APPLIED: Final = "Preference-Applied"

WAITED = web.RequestKey("WAITED", int)
"""For how many seconds the server waited at most, of a request that it waited for."""

_WAIT: Final = "wait"
_SECONDS = re.compile(r"[0-9]+")
_MAX_DIGITS: Final = 9  # thirty years: whoever asks for more gets the limit all the same

# One preference: a name, a value of it or none, parameters or none. A comma in a quoted string separates nothing.
_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_PREFERENCE = re.compile(rf'\s*({_NAME})\s*(?:=\s*(?:({_NAME}|{_QUOTED})\s*)?)?(?:;(?:[^,"]|{_QUOTED})*)?(?:,|$)')


def wait_asked(headers: Sequence[str], limit_s: int) -> int | None:
    """Returns for how many seconds the client prefers to wait, at most `limit_s`; None where it does not say.

    Of a preference that stands there more than once the first counts (section 2). Unknown ones are ignored, and so is a
    value that is no whole number of seconds.

    Args:
        headers: the values of `Prefer`.
        limit_s: the most that is granted.
    """
    for name, value in _preferences(",".join(headers)):
        if name.lower() == _WAIT:
            return _seconds(value, limit_s)
    return None


def _seconds(value: str, limit_s: int) -> int | None:
    digits = value.strip('"')
    if not digits.isascii() or not _SECONDS.fullmatch(digits):
        return None
    return limit_s if len(digits.lstrip("0")) > _MAX_DIGITS else min(int(digits), limit_s)


def _preferences(header: str) -> list[tuple[str, str]]:
    """Returns names and values. What cannot be read is passed over up to the next comma."""
    found, place = [], 0
    while place < len(header):
        match = _PREFERENCE.match(header, place)
        if match is None:
            place = header.find(",", place) + 1 or len(header)
            continue
        found.append((match[1], match[2] or ""))
        place = match.end()
    return found
