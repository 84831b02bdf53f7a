"""Finds the dates of publication and change, with the time of day if a line states one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from workers.metadata.date_labels import labels_change
from workers.pasted.phrases import DATE

# Chosen by hand; not measured.
_MAX_CHARS = 300  # characters of a line that states a date
_LABEL_CHARS = 30  # characters of a line that is only the label of the date below it, at most

_HOUR = r"(?:[01]?\d|2[0-3])"
_MINUTE = r"[0-5]\d\b"
_HALF = r"\s?[ap]\.?m\b\.?"
_ZONE = r"(?:\s(?:GMT|UTC|CES?T|[ECMP][SD]T|BST)\b(?:[+-]\d{1,2}(?::?\d\d)?)?)?"  # abbreviations with one meaning
_CLOCK = (
    rf"(?:{_HOUR}(?::|\s?h\s?){_MINUTE}(?::{_MINUTE})?(?:{_HALF}|\s?(?:uhr|uur|hrs|h)\b)?"
    rf"|(?:0?[1-9]|1[0-2])(?:\.{_MINUTE})?{_HALF}|{_HOUR}(?:\.{_MINUTE})?\s?(?:uhr|uur)\b){_ZONE}"
)
_BETWEEN = r"(?:[\s,–—|·•@/-]|\b(?:at|um|à|a las?|alle|ore|às|om|в|г|года|kl)\b\.?){1,8}?"
_ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"
_MOMENT = re.compile(rf"{_ISO}|{DATE}(?:{_BETWEEN}{_CLOCK})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StatedDates:
    """Dates as written, or None."""

    published: str | None = None
    modified: str | None = None


def find_stated_dates(lines: Iterable[str]) -> StatedDates:
    """Returns the first date without a label of a change, and the first with one."""
    published = modified = None
    label = ""
    for line in lines:
        for said, written in _read(line, label):
            if labels_change(said):
                modified = modified or written
            else:
                published = published or written
        label = line if len(line) <= _LABEL_CHARS else ""
    return StatedDates(published, modified)


def _read(line: str, label: str) -> Iterable[tuple[str, str]]:
    """Yields each date of a line with the text before it; for the first date that includes the label above the line."""
    if len(line) > _MAX_CHARS or not any(map(str.isdigit, line)):
        return
    end = 0
    for match in _MOMENT.finditer(line):
        said = line[end : match.start()]
        yield said if end or said.strip() or any(map(str.isdigit, label)) else label, match[0]
        end = match.end()
