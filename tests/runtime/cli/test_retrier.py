"""How an outage is reported, and how long calls are repeated."""

import pytest

from runtime.cli.retrier import Exhausted, Retrier, Unavailable, duration


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def once(retrier: Retrier, clock: Clock, *outcomes: str | float) -> None:
    """Makes a call that fails once for each cause and then succeeds. Numbers are seconds that pass in between."""
    left = list(outcomes)

    async def call() -> None:
        while left and isinstance(left[0], float):
            clock.now += float(left.pop(0))
        if left:
            raise Unavailable(str(left.pop(0)), retry_after_s=0.001)

    await retrier.retry(call)


async def test_an_outage_is_reported_once_for_all_waiting_calls(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    retrier = Retrier(300, clock=clock)
    await once(retrier, clock, "the broker is away", 5.0, "the broker is away", 5.0, "the broker is away", 2.0)
    assert capsys.readouterr().err.splitlines() == [
        "copydesk: the broker is away; trying again for up to 5 min",
        "copydesk: continuing after 12 s",
    ]


async def test_another_cause_is_reported_again(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    await once(Retrier(300, clock=clock), clock, "no answer", 210.0, "the intake is full")
    assert [line.split("; ")[0] for line in capsys.readouterr().err.splitlines()[:2]] == [
        "copydesk: no answer",
        "copydesk: the intake is full",
    ]


async def test_an_intake_that_sometimes_refuses_is_reported_once_a_minute(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Clock()
    retrier = Retrier(300, clock=clock)
    for _ in range(130):
        await once(retrier, clock, "the intake is full", 1.0)
    printed = capsys.readouterr().err.splitlines()
    assert len([line for line in printed if "the intake is full" in line]) == 3
    assert len(printed) <= 6


async def test_a_success_renews_the_patience() -> None:
    clock = Clock()
    retrier = Retrier(10, clock=clock)
    await once(retrier, clock, "no answer", 9.0)
    await once(retrier, clock, "no answer", 9.0, "no answer")
    with pytest.raises(Unavailable):
        await once(retrier, clock, "no answer", 9.0, "no answer", 1.0, "no answer")


async def exhausted(retrier: Retrier, retry_after_s: float) -> int:
    """Makes a call whose API key is exhausted once, and returns how often it was made."""
    calls = 0

    async def call() -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise Exhausted("the key is exhausted", retry_after_s)

    await retrier.retry(call)
    return calls


async def test_an_exhausted_key_is_waited_for_as_long_as_the_server_says(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("runtime.cli.retrier.asyncio.sleep", sleep)
    assert await exhausted(Retrier(60, clock=Clock()), 42) == 2
    assert slept == [42]
    assert capsys.readouterr().err.splitlines()[0] == "copydesk: the key is exhausted; trying again in 42 s"


async def test_a_key_that_is_exhausted_for_longer_than_the_patience_is_not_waited_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(Exhausted, match="exhausted"):
        await exhausted(Retrier(60, clock=Clock()), 61)
    assert capsys.readouterr().err == ""


async def test_without_patience_there_is_one_try(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with pytest.raises(Unavailable, match="no answer"):
        await once(Retrier(0, clock=clock), clock, "no answer")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.4, "0 s"), (12, "12 s"), (90, "90 s"), (300, "5 min"), (5900, "98 min"), (86_000, "24 h")]
)
def test_durations_are_for_people(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown
