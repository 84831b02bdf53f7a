"""The text that a page's own data holds, for pages that show none without a script."""

from html import escape

from workers.draft import Judgement
from workers.extract.body import Body, as_blocks
from workers.extract.walk import walk
from workers.markup import parse

_LEAST_CHARS = 200  # what is shorter is a teaser
_PROBABILITY = 0.85  # F1 of such texts on pages that show theirs, by the findings of earlier prototypes


def stated_body(text: str) -> Body | None:
    """Returns the body that `text` (plain, or HTML) is, or None where it is too short to be one."""
    if len(text) < _LEAST_CHARS:
        return None
    markup = text if "</" in text else "".join(f"<p>{escape(line)}</p>" for line in text.splitlines())
    walked = walk(parse(f"<html><body><div>{markup}</div></body></html>"))
    count = len(walked.passages)
    probabilities, kept = (_PROBABILITY,) * count, (True,) * count
    return Body(
        walked,
        tuple(as_blocks(walked, probabilities, kept)),
        Judgement(probabilities=probabilities, sizes=tuple(walked.sizes), kept=kept),
    )
