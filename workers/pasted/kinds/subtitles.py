"""Tells subtitles and transcripts with times, and which of their lines are not speech."""

import re
from collections.abc import Sequence
from itertools import pairwise

from workers.pasted.kinds.rows import NOTHING, Evidence, Row

# Chosen by hand, with the documents of tests/workers/pasted/kinds in view.
_LINES_A_CUE = 3  # number, time and words
_LEAST_CUES = 2  # in a file
_CUE = re.compile(r"(?:\d{1,2}:)?\d{1,2}:\d\d[.,]\d{2,3}\s*-->\s*(?:\d{1,2}:)?\d{1,2}:\d\d[.,]\d{2,3}")
_TIME_ALONE = re.compile(r"[\[(]?(?:\d{1,2}:)?\d{1,2}:\d\d[\])]?")
_CUE_NUMBER = re.compile(r"\d{1,5}")
_FILE_HEAD = re.compile(r"WEBVTT\b.*|Kind:.*|Language:.*|NOTE\b.*")
_LEAST_TIMES = 3  # of a transcript with times alone
_TIMES_SHARE = 0.3  # of its lines


def subtitles(rows: Sequence[Row]) -> Evidence:
    """Returns the evidence of subtitles: a file of cues, or a transcript with a time above each line."""
    cues = sum(1 for row in rows if _CUE.match(row.text))
    times = [(at, _seconds(row.text)) for at, row in enumerate(rows) if _TIME_ALONE.fullmatch(row.text)]
    if cues >= _LEAST_CUES or _is_transcript(times, len(rows)):
        return Evidence(min(1.0, _LINES_A_CUE * (cues or len(times)) / len(rows)), frozenset(range(len(rows))))
    return NOTHING


def _is_transcript(times: Sequence[tuple[int, int]], rows: int) -> bool:
    """True if times that grow stand from the first lines on, often enough."""
    if len(times) < _LEAST_TIMES or len(times) < _TIMES_SHARE * rows or times[0][0] > 1:
        return False
    return all(earlier < later for (_, earlier), (_, later) in pairwise(times))


def _seconds(text: str) -> int:
    parts = [int(part) for part in re.findall(r"\d+", text)]
    return sum(part * 60**power for power, part in enumerate(reversed(parts)))


def is_cue_frame(text: str, following: str | None) -> bool:
    """True if a line of subtitles is no speech: a time, the number above it, the head of the file."""
    above = following is not None and bool(_CUE.match(following))
    framed = _CUE.match(text) or _TIME_ALONE.fullmatch(text) or _FILE_HEAD.fullmatch(text)
    return bool(framed) or (above and bool(_CUE_NUMBER.fullmatch(text)))
