"""What was found in one place."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is. With an error Copydesk does not work; a warning may become one."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found, why it matters, and how to mend it. The last two are empty if all is well."""

    part: str
    level: Level
    found: str
    why: str = ""
    remedy: str = ""


def well(part: str, found: str) -> Finding:
    """Returns that something is as it should be."""
    return Finding(part=part, level=Level.OK, found=found)


def wrong(part: str, found: str, why: str, remedy: str) -> Finding:
    """Returns an error."""
    return Finding(part=part, level=Level.ERROR, found=found, why=why, remedy=remedy)


def doubtful(part: str, found: str, why: str, remedy: str) -> Finding:
    """Returns a warning."""
    return Finding(part=part, level=Level.WARNING, found=found, why=why, remedy=remedy)
