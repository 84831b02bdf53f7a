"""Which exception a problem of the server becomes, and for how long the client waits."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import looptime
import pytest
from copydesk_client import problems
from copydesk_client.problems import Busy, NotConfigured, Problem, Unreachable, problem_of, seconds
from copydesk_client.retries import LONGEST_PAUSE_S, Patience, repeated

from service.problems import ALL, ProblemType

KINDS = {
    "unauthorized": problems.NotAllowed,
    "insufficient-scope": problems.NotAllowed,
    "foreign-host": problems.NotAllowed,
    "invalid-submission": problems.Invalid,
    "idempotency-key-reused": problems.KeyReused,
    "not-found": problems.Missing,
    "erased": problems.Erased,
    "position-gone": problems.PositionGone,
    "batch-closed": problems.Conflict,
    "intake-full": problems.Busy,
    "quota-exceeded": problems.QuotaExceeded,
    "ledger-not-configured": problems.NotConfigured,
    "broker-unavailable": problems.Busy,
    "body-timeout": problems.Busy,
    "internal-error": problems.ServerError,
}


def of(kind: ProblemType, retry_after: str | None = None) -> Problem:
    return problem_of({"type": kind.path, "title": kind.title}, kind.status, retry_after)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.slug)
def test_every_problem_of_the_server_is_an_exception_by_what_follows(kind: ProblemType) -> None:
    problem = of(kind)
    assert problem.slug == kind.slug
    assert type(problem) is not Problem
    assert type(problem) is KINDS.get(kind.slug, type(problem))


def test_what_has_retry_after_is_tried_again_and_what_has_none_is_not() -> None:
    again = {kind.slug for kind in ALL if isinstance(of(kind), Busy)}
    assert again >= {kind.slug for kind in ALL if kind.status in {408, 429, 503}}
    assert not again & {
        kind.slug for kind in ALL if kind.status in {400, 401, 403, 404, 409, 410, 413, 415, 421, 422, 500}
    }


def test_retry_after_is_a_number_or_a_date() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert seconds("7") == 7
    assert 85 < (seconds(soon) or 0) <= 90
    assert (seconds(None), seconds("soon"), seconds("-1")) == (None, None, None)


class Server:
    """Fails `times` times, then answers."""

    def __init__(self, failure: Busy | Unreachable, times: int) -> None:
        self._failure, self._times = failure, times
        self.asked = 0

    async def answer(self) -> str:
        self.asked += 1
        if self.asked <= self._times:
            raise self._failure
        return "here"


BUSY = Busy({"type": "/problems/intake-full"}, 429, 40)


def waited(server: Server, limit_s: float) -> float:
    """Calls the server, on a clock that jumps, and returns the seconds until it answered."""

    async def call() -> float:
        begun = asyncio.get_running_loop().time()
        assert await repeated(server.answer, limit_s) == "here"
        return asyncio.get_running_loop().time() - begun

    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        return runner.run(call())


def test_it_waits_as_long_as_the_server_says() -> None:
    assert waited(Server(BUSY, 3), 300) == pytest.approx(120)


def test_without_a_word_of_the_server_pauses_grow_and_end() -> None:
    server = Server(Unreachable("gone"), 20)
    assert 8 * LONGEST_PAUSE_S / 2 < waited(server, 300) < 20 * LONGEST_PAUSE_S


def test_it_gives_up_when_it_would_wait_for_too_long() -> None:
    server = Server(BUSY, 3)
    with pytest.raises(Busy):
        waited(server, 100)
    assert server.asked == 3
    with pytest.raises(Busy):
        waited(at_once := Server(BUSY, 1), 39)
    assert at_once.asked == 1


def test_it_does_not_wait_for_what_will_not_come() -> None:
    server = Server(NotConfigured({}, 503, 1), 1)
    with pytest.raises(NotConfigured):
        waited(server, 300)
    assert server.asked == 1


def test_a_success_begins_anew() -> None:
    async def call() -> None:
        patience = Patience(100)
        for _ in range(5):
            await patience.pause(BUSY)
            await patience.pause(BUSY)
            patience.succeeded()

    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        runner.run(call())
