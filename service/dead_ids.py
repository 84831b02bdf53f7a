"""Finds the dead letter that a path names by its id or the first characters of its id."""

from collections.abc import Sequence
from itertools import pairwise, takewhile
from operator import eq
from typing import Final

from contract.dead import DeadLetter, DeadLetterPage, Wanted
from service import problems
from service.refusals import Problem, ProblemError

MIN_PREFIX_CHARS: Final = 8  # chosen: the first group of a UUID; a shorter prefix is probably a mistake

_SHOWN_IDS = 3  # in an error message; chosen: enough to see how the ids differ
_NONE = "There is no dead letter with this id, or another process is scanning it now."
_BEYOND = "There are more letters than one scan reaches: retry or drop others first."


def has_id(wanted: str) -> Wanted:
    """Returns a filter for letters whose id is `wanted`."""
    return lambda letter: letter.id == wanted


def may_be(wanted: str) -> Wanted:
    """Returns a filter for letters whose id is `wanted` or begins with it."""
    if len(wanted) < MIN_PREFIX_CHARS:
        return has_id(wanted)
    return lambda letter: letter.id.startswith(wanted)


def named_by(wanted: str, page: DeadLetterPage) -> Sequence[DeadLetter]:
    """Returns the letters in `page` of the one document that `wanted` names.

    An exact id takes precedence over ids that begin with it.

    Raises:
        ProblemError: there is none, or several ids begin with `wanted`, or others out of reach may.
    """
    exact = [letter for letter in page.letters if letter.id == wanted]
    if exact:
        return exact
    ids = sorted({letter.id for letter in page.letters})
    if not ids:
        raise not_found(wanted, complete=page.complete)
    if len(ids) > 1:
        raise _ambiguous(wanted, ids)
    if not page.complete:
        raise _refused(
            "There are more letters than one scan reaches, so other ids may begin like that: give the whole id."
        )
    return page.letters


def not_found(wanted: str, *, complete: bool) -> ProblemError:
    """Returns the error for an id that no scanned letter has. If not `complete`, there are letters beyond the scan."""
    short = f"The beginning of an id has {MIN_PREFIX_CHARS} characters or more." if _is_short(wanted) else ""
    detail = " ".join(filter(None, (_NONE, short, "" if complete else _BEYOND)))
    return ProblemError(Problem(problems.NOT_FOUND, detail))


def _is_short(wanted: str) -> bool:
    return len(wanted) < MIN_PREFIX_CHARS


def _ambiguous(wanted: str, ids: Sequence[str]) -> ProblemError:
    """Returns the error for several ids, with the number of characters that distinguish them (UUIDv7s begin alike)."""
    shown = ", ".join(ids[:_SHOWN_IDS]) + (", …" if len(ids) > _SHOWN_IDS else "")
    needed = max(_common_prefix_length(*neighbours) for neighbours in pairwise(ids)) + 1
    return _refused(
        f"{len(ids)} dead letters have ids that begin with {wanted}: {shown}. "
        f"The first {needed} characters tell them apart."
    )


def _common_prefix_length(one: str, other: str) -> int:
    """Returns the length of the common prefix."""
    return sum(1 for _ in takewhile(lambda pair: eq(*pair), zip(one, other, strict=False)))


def _refused(detail: str) -> ProblemError:
    return ProblemError(Problem(problems.AMBIGUOUS_ID, detail))
