"""The parameters of lists that come in pages: how many entries a page has, and where it begins."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping

from service.api.lookups import DEFAULT_LIMIT, MAX_LIMIT
from service.refusals import invalid_parameter

_NUMBER = re.compile(r"[0-9]{1,4}")
_CURSOR = re.compile(r"(-?[0-9]{1,15}) (.{1,255})", re.DOTALL)

_ID = re.compile(r"[0-9a-f-]{36}")


def limit_of(given: Mapping[str, str]) -> int:
    """Returns how many entries a page has at most.

    Raises:
        ProblemError: the parameter `limit` breaks its rule.
    """
    limit = given.get("limit", str(DEFAULT_LIMIT))
    if not _NUMBER.fullmatch(limit) or not 1 <= int(limit) <= MAX_LIMIT:
        raise invalid_parameter("limit", "count", f"must be a whole number from 1 to {MAX_LIMIT}")
    return int(limit)


def cursor_to(number: int, id_: str) -> str:
    """Returns the cursor that leads behind the entry with this number, such as a time in milliseconds, and this id."""
    return urlsafe_b64encode(f"{number} {id_}".encode()).decode()


def place_of(given: Mapping[str, str]) -> tuple[int, str] | None:
    """Returns the number and the id in the parameter `cursor`, None if there is none.

    Raises:
        ProblemError: it is none that `cursor_to` made.
    """
    if "cursor" not in given:
        return None
    try:
        found = _CURSOR.fullmatch(urlsafe_b64decode(given["cursor"].encode("ascii")).decode())
    except ValueError:
        found = None
    if found is None or "\0" in found[2]:
        raise invalid_parameter("cursor", "cursor", "must be the next of a page that was listed before")
    return int(found[1]), found[2]


def before_id(given: Mapping[str, str]) -> str | None:
    """Returns the id in the parameter `cursor`, behind which a page begins; None if there is none.

    Raises:
        ProblemError: it is no id.
    """
    cursor = given.get("cursor")
    if cursor is not None and not _ID.fullmatch(cursor):
        raise invalid_parameter("cursor", "cursor", "must be the next of a page that was listed before")
    return cursor
