"""Which dead letter a path names: by its whole id, or by the beginning of one."""

from collections.abc import Sequence
from itertools import pairwise, takewhile
from operator import eq
from typing import Final

from contract.dead import DeadLetter, DeadLetterPage, Wanted
from service import problems
from service.problems import Problem, ProblemError

MIN_PREFIX_CHARS: Final = 8  # the first group of a UUID; fewer characters are more often a slip than meant

_SHOWN_IDS = 3
_NONE = "There is no dead letter with this id, or another process is scanning it now."
_BEYOND = "There are more letters than one scan reaches: retry or drop others first."


def has_id(wanted: str) -> Wanted:
    """Returns what picks the letters whose id is `wanted`."""
    return lambda letter: letter.id == wanted


def may_be(wanted: str) -> Wanted:
    """Returns what picks the letters that `wanted` may name: by the whole id, or by the beginning of one."""
    if len(wanted) < MIN_PREFIX_CHARS:
        return has_id(wanted)
    return lambda letter: letter.id.startswith(wanted)


def named_by(wanted: str, page: DeadLetterPage) -> Sequence[DeadLetter]:
    """Returns the letters of the one document that `wanted` names among those of `page`, which it may name.

    A whole id wins over ids that begin with it.

    Raises:
        ProblemError: there is none, or the beginning is that of several ids, or may be.
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
    """Returns the error for an id that no letter in reach has; not `complete`: there are others out of reach."""
    short = f"The beginning of an id has {MIN_PREFIX_CHARS} characters or more." if _is_short(wanted) else ""
    detail = " ".join(filter(None, (_NONE, short, "" if complete else _BEYOND)))
    return ProblemError(Problem(problems.NOT_FOUND, detail))


def _is_short(wanted: str) -> bool:
    return len(wanted) < MIN_PREFIX_CHARS


def _ambiguous(wanted: str, ids: Sequence[str]) -> ProblemError:
    """Ids of one moment (UUIDv7) share their first characters: says how many it takes to tell them all apart."""
    shown = ", ".join(ids[:_SHOWN_IDS]) + (", …" if len(ids) > _SHOWN_IDS else "")
    needed = max(_shared(*neighbours) for neighbours in pairwise(ids)) + 1
    return _refused(
        f"{len(ids)} dead letters have ids that begin with {wanted}: {shown}. "
        f"The first {needed} characters tell them apart."
    )


def _shared(one: str, other: str) -> int:
    """Returns how many characters at the beginning are the same."""
    return sum(1 for _ in takewhile(lambda pair: eq(*pair), zip(one, other, strict=False)))


def _refused(detail: str) -> ProblemError:
    return ProblemError(Problem(problems.AMBIGUOUS_ID, detail))
