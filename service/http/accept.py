"""Content negotiation: ranks media types by the `Accept` header (RFC 9110, section 12.5.1)."""

import re
from collections.abc import Mapping, Sequence

_ANY = "*/*"
_QVALUE = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?", re.ASCII)  # RFC 9110, section 12.4.2


def preferred(headers: Sequence[str], offered: Mapping[str, str]) -> list[str]:
    """Returns the names of the acceptable media types in `offered`, the preferred one first.

    Equally preferred types keep the order of `offered`. Without a header all are acceptable.
    A media range with a malformed weight is ignored: RFC 9110 leaves it open.

    Args:
        headers: the values of `Accept`.
        offered: media types by name.
    """
    ranges = _ranges(",".join(headers)) or {_ANY: 1.0}
    quality = {name: _quality(media_type, ranges) for name, media_type in offered.items()}
    return sorted((name for name, value in quality.items() if value > 0), key=lambda name: -quality[name])


def _quality(media_type: str, ranges: Mapping[str, float]) -> float:
    """Returns the quality of a media type: that of the most specific range that matches it."""
    kind = media_type.partition("/")[0]
    return next((ranges[name] for name in (media_type, f"{kind}/*", _ANY) if name in ranges), 0.0)


def _ranges(header: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in header.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = _weight(parameters)
        if "/" in name and weight is not None:
            found[name] = weight
    return found


def _weight(parameters: Sequence[str]) -> float | None:
    """Returns the weight, 1 where none is given, None for a malformed one."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return float(value) if _QVALUE.fullmatch(value) else None
    return 1.0
