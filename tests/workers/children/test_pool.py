import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from contract.article import Source
from contract.metrics import Metrics
from contract.reasons import Reason
from tests.workers import hostile
from tests.workers.hostile import Act
from tests.workers.processes import children, is_running, open_files, parent_of, wait_until, zombies
from workers.children.child import AnswerKind, ChildAnswer
from workers.children.connection import Child
from workers.children.pool import ChildNotStarted, ParserDefect, ParserLimits, ParserPool
from workers.document import Sourced
from workers.failures import Failed

MIB = 1024**2
LIMITS = ParserLimits(wall_clock_s=10.0, memory_bytes=128 * MIB)


class Bench:
    """A parser at work, with its metrics."""

    def __init__(self, parser: ParserPool[Any, Any], metrics: Metrics) -> None:
        self.parser = parser
        self.run = parser.run
        self._metrics = metrics

    def restarts(self) -> dict[str, float]:
        samples = [sample for metric in self._metrics.parser_restarts.collect() for sample in metric.samples]
        return {sample.labels["cause"]: sample.value for sample in samples if sample.name.endswith("_total")}


@contextlib.asynccontextmanager
async def bench(
    task: Callable[[Any], Any] = hostile.obey, *, slots: int = 1, limits: ParserLimits = LIMITS
) -> AsyncIterator[Bench]:
    metrics = Metrics(CollectorRegistry())
    async with ParserPool(
        task, slots=slots, limits=limits, metrics=metrics, preload=["tests.workers.hostile"]
    ) as parser:
        yield Bench(parser, metrics)


async def test_returns_what_the_task_returns() -> None:
    async with bench(hostile.shout) as at:
        assert await at.run("word") == "WORD"
        assert at.restarts() == {}


async def test_works_out_of_this_process() -> None:
    async with bench() as at:
        assert await at.run(Act("pid")) not in {os.getpid(), os.getppid()}


@pytest.mark.parametrize("act", ["spin", "hang", "hang_in_c"])
async def test_a_hang_is_killed_at_the_time_limit(act: str) -> None:
    async with bench(limits=ParserLimits(wall_clock_s=0.3, memory_bytes=128 * MIB)) as at:
        hung = children()
        began = time.monotonic()
        with pytest.raises(Failed) as failed:
            await at.run(Act(act))
        assert failed.value.reason is Reason.PARSE_TIMEOUT
        assert time.monotonic() - began < 3
        assert await at.run(Act("shout", "next")) == "NEXT"
        assert not any(map(is_running, hung))
        assert at.restarts() == {"parse_timeout": 1}


@pytest.mark.parametrize("act", ["allocate", "hoard", "overreach", "swallow_memory_error"])
async def test_memory_is_limited_and_named(act: str) -> None:
    async with bench() as at:
        with pytest.raises(Failed) as failed:
            await at.run(Act(act))
        assert failed.value.reason is Reason.MEMORY
        assert await at.run(Act("shout", "next")) == "NEXT"
        assert at.restarts() == {"memory": 1}


async def test_a_child_that_came_near_its_limit_gets_no_other_document() -> None:
    """Its peak would make the next document's plain failure look like one of memory."""
    async with bench() as at:
        assert await at.run(Act("fill_nearly", "120")) == 120 * MIB
        with pytest.raises(Failed) as failed:
            await at.run(Act("refuse", "no article"))
        assert failed.value.reason is Reason.NO_ARTICLE


async def test_half_the_memory_is_no_failure() -> None:
    async with bench() as at:
        pid = await at.run(Act("pid"))
        assert await at.run(Act("fill_nearly", "64")) == 64 * MIB
        assert await at.run(Act("pid")) == pid


async def test_a_fresh_child_has_seen_no_other_document() -> None:
    async with bench() as at:
        pid = await at.run(Act("pid"), fresh=True)
        assert await at.run(Act("pid")) == pid
        assert await at.run(Act("pid"), fresh=True) != pid
        assert at.restarts() == {"suspect": 1}


@pytest.mark.parametrize(("act", "code"), [("exit_at_once", 7), ("kill_self", -9), ("segfault", -11)])
async def test_a_crash_is_named(act: str, code: int) -> None:
    async with bench() as at:
        with pytest.raises(Failed, match=str(code)) as failed:
            await at.run(Act(act, "7"))
        assert failed.value.reason is Reason.PARSER_CRASH
        assert await at.run(Act("shout", "next")) == "NEXT"
        assert at.restarts() == {"parser_crash": 1}


async def test_a_failure_of_the_task_comes_back_unchanged() -> None:
    async with bench() as at:
        with pytest.raises(Failed) as failed:
            await at.run(Act("refuse", "only a menu"))
        assert (failed.value.reason, failed.value.detail, failed.value.failure.retry_after_s) == (
            Reason.NO_ARTICLE,
            "only a menu",
            7.0,
        )
        assert failed.value.metadata.title == Sourced("A title", Source.META)
        assert at.restarts() == {}


@pytest.mark.parametrize(
    ("act", "error"), [("stumble", "ValueError"), ("recurse", "RecursionError"), ("exit_politely", "SystemExit")]
)
async def test_a_defect_has_its_frames_but_no_text(act: str, error: str) -> None:
    async with bench() as at:
        with pytest.raises(ParserDefect) as defect:
            await at.run(Act(act, "words of the document"))
        assert str(defect.value) == error
        assert f"in {act}" in defect.value.traceback
        assert "words of the document" not in defect.value.traceback
        assert at.restarts() == {}


@pytest.mark.parametrize("act", ["give_unpicklable", "give_unpicklable_late"])
async def test_a_result_that_cannot_be_sent_is_a_defect(act: str) -> None:
    async with bench() as at:
        with pytest.raises(ParserDefect):
            await at.run(Act(act))
        assert await at.run(Act("shout", "next")) == "NEXT"


async def test_large_documents_and_results_pass() -> None:
    async with bench(hostile.shout) as at:
        text = "ä" * 5_000_000
        assert await at.run(text) == text.upper()


async def test_slots_run_at_once(tmp_path: Path) -> None:
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    async with bench(slots=2) as at:
        jobs = (at.run(Act("wait_for_other", f"{one}|{two}")), at.run(Act("wait_for_other", f"{two}|{one}")))
        assert all(await asyncio.gather(*jobs))


async def test_more_documents_than_slots_wait_their_turn() -> None:
    async with bench(hostile.shout, slots=2) as at:
        words = [f"word {number}" for number in range(40)]
        assert await asyncio.gather(*map(at.run, words)) == [word.upper() for word in words]


async def test_cancelling_kills_the_child(tmp_path: Path) -> None:
    async with bench() as at:
        pid_file = tmp_path / "pid"
        job = asyncio.ensure_future(at.run(Act("hang_telling", str(pid_file))))
        await asyncio.to_thread(wait_until, lambda: pid_file.exists() and pid_file.read_text())
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        await asyncio.to_thread(wait_until, lambda: not is_running(int(pid_file.read_text())))
        assert await at.run(Act("shout", "next")) == "NEXT"
        assert at.restarts() == {"abandoned": 1}


async def test_cancelling_one_that_waits_for_a_slot_harms_nothing(tmp_path: Path) -> None:
    one, two = str(tmp_path / "one"), tmp_path / "two"
    async with bench() as at:
        first = asyncio.ensure_future(at.run(Act("wait_for_other", f"{one}|{two}")))
        second = asyncio.ensure_future(at.run(Act("shout", "second")))
        await asyncio.to_thread(wait_until, Path(one).exists)
        second.cancel()
        two.touch()
        assert await first
        assert await at.run(Act("shout", "third")) == "THIRD"
        assert at.restarts() == {}


async def test_a_child_killed_while_idle_costs_no_document() -> None:
    async with bench() as at:
        for has_noticed in (False, True):
            (pid,) = children()
            os.kill(pid, signal.SIGKILL)
            while has_noticed and pid in children() | zombies():  # noqa: ASYNC110 - other processes set no event
                await asyncio.sleep(0)
            assert await at.run(Act("shout", "next")) == "NEXT"
        assert at.restarts() == {"parser_crash": 2}


async def test_a_child_is_recycled_after_its_number_of_documents() -> None:
    async with bench(limits=ParserLimits(memory_bytes=128 * MIB, documents_per_child=3)) as at:
        pids = [await at.run(Act("pid"))]
        while len(set(pids)) < 3:
            pids.append(await at.run(Act("pid")))
        in_turn = list(dict.fromkeys(pids))
        assert pids == sorted(pids, key=in_turn.index)
        assert all(pids.count(recycled) >= 3 for recycled in in_turn[:2])
        assert at.restarts() == {"recycled": 2}
        await asyncio.to_thread(wait_until, lambda: children() == {in_turn[2]})


async def test_recycling_leaves_no_gap() -> None:
    """The old child works until the new one can: at no time is there none."""
    async with bench(limits=ParserLimits(memory_bytes=128 * MIB, documents_per_child=1)) as at:
        (first,) = children()
        assert await at.run(Act("pid")) == first
        os.kill(parent_of(first), signal.SIGSTOP)  # no new child can start
        try:
            assert await at.run(Act("pid")) == first
        finally:
            os.kill(parent_of(first), signal.SIGCONT)
        while await at.run(Act("pid")) == first:
            pass


async def test_the_next_document_is_handed_over_before_this_process_has_time(tmp_path: Path) -> None:
    done = [tmp_path / str(number) for number in range(2)]
    async with bench() as at:
        runs = [asyncio.ensure_future(at.run(Act("touch", str(path)))) for path in done]
        await asyncio.sleep(0)
        wait_until(lambda: all(path.exists() for path in done))  # blocks the event loop
        await asyncio.gather(*runs)


async def test_the_time_of_a_document_begins_when_those_before_it_are_done() -> None:
    async with bench(limits=ParserLimits(wall_clock_s=1.0, memory_bytes=128 * MIB)) as at:
        await asyncio.gather(*(at.run(Act("take_s", "0.4")) for _ in range(4)))
        assert at.restarts() == {}


@pytest.mark.parametrize("act", ["exit_at_once", "hang"])
async def test_the_next_document_survives_the_child(act: str) -> None:
    async with bench(limits=ParserLimits(wall_clock_s=0.3, memory_bytes=128 * MIB)) as at:
        ended = await asyncio.gather(at.run(Act(act, "7")), at.run(Act("shout", "next")), return_exceptions=True)
        assert isinstance(ended[0], Failed)
        assert ended[1] == "NEXT"


async def test_a_slow_document_holds_up_no_other(tmp_path: Path) -> None:
    """What was handed to a child behind a slow document goes to a child that has nothing to do."""
    told = tmp_path / "pid"
    async with bench(slots=2) as at:
        slow = asyncio.ensure_future(at.run(Act("hang_telling", str(told))))
        await asyncio.to_thread(wait_until, told.exists)
        quick = [at.run(Act("shout", word)) for word in ("one", "two", "three", "four")]
        assert await asyncio.gather(*quick) == ["ONE", "TWO", "THREE", "FOUR"]
        slow.cancel()


async def test_cancelling_the_next_document_leaves_the_child_at_work(tmp_path: Path) -> None:
    one, two = str(tmp_path / "one"), tmp_path / "two"
    async with bench() as at:
        first = asyncio.ensure_future(at.run(Act("wait_for_other", f"{one}|{two}")))
        await asyncio.to_thread(wait_until, Path(one).exists)
        nexts = [asyncio.ensure_future(at.run(Act("touch", str(tmp_path / "never")))) for _ in range(2)]
        await asyncio.sleep(0)
        for cancelled in nexts:
            cancelled.cancel()
        third = asyncio.ensure_future(at.run(Act("shout", "third")))
        await asyncio.sleep(0)
        two.touch()
        assert await first is True
        assert await third == "THIRD"
        assert not (tmp_path / "never").exists()
        assert at.restarts() == {}


async def test_a_document_too_large_for_the_memory_is_named() -> None:
    async with bench(hostile.shout, limits=ParserLimits(memory_bytes=32 * MIB)) as at:
        with pytest.raises(Failed) as failed:
            await at.run("x" * 64 * MIB)
        assert failed.value.reason is Reason.MEMORY
        assert await at.run("next") == "NEXT"


async def test_a_killed_fork_server_is_replaced(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    async with bench(slots=2) as at:
        job = asyncio.ensure_future(at.run(Act("hang_telling", str(told))))
        await asyncio.to_thread(wait_until, lambda: told.exists() and told.read_text())
        before = children()
        os.kill(parent_of(int(told.read_text())), signal.SIGKILL)
        with pytest.raises(Failed) as failed:
            await job
        assert failed.value.reason is Reason.PARSER_CRASH
        assert await asyncio.gather(*(at.run(Act("shout", "next")) for _ in range(4))) == ["NEXT"] * 4
        assert not any(map(is_running, before))


async def test_leaves_no_zombie_and_no_open_file() -> None:
    async with bench(slots=2) as at:
        files = open_files()
        for _ in range(5):
            for pid in children():
                os.kill(pid, signal.SIGKILL)
            assert await asyncio.gather(*(at.run(Act("shout", "next")) for _ in range(4))) == ["NEXT"] * 4
        await asyncio.to_thread(wait_until, lambda: len(children()) == 2 and not zombies())
        assert open_files() == files
    assert open_files() == files - 2 * 3  # a child's connection, counter and exit code


async def test_a_start_that_is_cancelled_when_its_child_is_ready_leaves_no_child(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    take, cancelled = Child._take, asyncio.Event()
    async with bench() as at:
        files = open_files()

        def cancel_when_ready(child: Child, answer: ChildAnswer) -> None:
            take(child, answer)
            if answer.kind is AnswerKind.READY:
                for start in at.parser._starts:
                    start.cancel()
                cancelled.set()

        monkeypatch.setattr(Child, "_take", cancel_when_ready)
        os.kill(children().pop(), signal.SIGKILL)
        await cancelled.wait()
        monkeypatch.undo()
        await asyncio.to_thread(wait_until, lambda: not children() and not at.parser._starts)
        assert await at.run(Act("shout", "next")) == "NEXT"
        await asyncio.to_thread(wait_until, lambda: len(children()) == 1 and open_files() == files)


async def test_a_storm_of_kills_loses_no_document() -> None:
    async with bench(hostile.slow_shout, slots=2) as at:
        words = [f"word {number}" for number in range(60)]
        done: list[str] = []
        finished = asyncio.Semaphore(0)

        async def insist(word: str) -> None:
            for _ in range(100):
                try:
                    done.append(await at.run(word))
                    finished.release()
                except Failed as failed:
                    assert failed.reason is Reason.PARSER_CRASH  # noqa: PT017 - other failures must not pass
                else:
                    return

        async def storm() -> None:
            for _ in range(3):
                for _done in range(10):
                    await finished.acquire()
                for pid in children():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)

        await asyncio.gather(storm(), *map(insist, words))
        assert sorted(done) == sorted(word.upper() for word in words)
        assert at.restarts()["parser_crash"] >= 3


async def test_leaves_no_child_behind(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    async with bench(slots=2) as at:
        pids = children()
        assert len(pids) == 2
        job = asyncio.ensure_future(at.run(Act("hang_telling", str(pid_file))))
        await asyncio.to_thread(wait_until, pid_file.exists)
        job.cancel()
    assert not any(map(is_running, pids))
    assert children() == set()
    with pytest.raises(asyncio.CancelledError):
        await job


async def test_a_module_that_does_not_load_is_reported_at_the_start() -> None:
    parser: ParserPool[Any, Any] = ParserPool(
        hostile.shout, slots=2, limits=LIMITS, metrics=Metrics(CollectorRegistry()), preload=["tests.workers.nowhere"]
    )
    with pytest.raises(ChildNotStarted):
        await parser.__aenter__()
    assert children() == set()
