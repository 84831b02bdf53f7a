"""W3C Trace Context, as the standard's own test suite has it, and the context that a task is in."""

import asyncio

import pytest

from contract.tracing import (
    MAX_TRACESTATE_CHARS,
    OFF,
    TraceContext,
    Within,
    checked,
    current,
    document,
    exemplar_of,
    outside,
    received,
    stated_in,
)

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = f"00-{TRACE}-{SPAN}-01"


def test_a_valid_traceparent_is_taken_apart() -> None:
    context = received([SAMPLED], ["congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"])
    assert context == TraceContext(SAMPLED, "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7")
    assert (context.trace_id, context.span_id, context.is_sampled) == (TRACE, SPAN, True)
    assert context.headers() == {"traceparent": SAMPLED, "tracestate": "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"}


@pytest.mark.parametrize("flags", ["00", "02"])
def test_a_trace_that_is_not_sampled_has_no_exemplar(flags: str) -> None:
    context = received([f"00-{TRACE}-{SPAN}-{flags}"])
    assert context is not None
    assert not context.is_sampled
    assert exemplar_of(context) is None


def test_an_exemplar_names_the_trace() -> None:
    assert exemplar_of(TraceContext(SAMPLED)) == {"trace_id": TRACE}
    assert exemplar_of(None) is None


@pytest.mark.parametrize(
    "stated",
    [
        "",
        "00",
        f"ff-{TRACE}-{SPAN}-01",  # the version that there is not
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01-more",  # only later versions have more
        f"00-{TRACE}-{SPAN}-01\r\nx: y",
        f"01-{TRACE}-{SPAN}-01more",
        f" {SAMPLED}",
        f"{SAMPLED}\n",
    ],
)
def test_an_invalid_traceparent_is_none(stated: str) -> None:
    assert received([stated]) is None


def test_of_a_later_version_the_known_fields_count() -> None:
    assert received([f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like"]) == TraceContext(SAMPLED)
    assert received([f"cc-{TRACE}-{SPAN}-01"]) == TraceContext(SAMPLED)


def test_two_traceparents_are_none() -> None:
    assert received([SAMPLED, SAMPLED]) is None


@pytest.mark.parametrize(
    ("states", "kept"),
    [
        ([], None),
        ([""], None),
        (["a=1", "b=2"], "a=1,b=2"),
        (["fw529a3039@dt=FfffaE"], "fw529a3039@dt=FfffaE"),
        (["a=1, ,b=2"], "a=1, ,b=2"),
        (["A=1"], None),
        (["a=1\r\nx: y"], None),
        (["a"], None),
        (["a=" + "x" * 256 + ",b=" + "y" * (MAX_TRACESTATE_CHARS - 261)], "a=" + "x" * 256 + ",b=" + "y" * 251),
        (["a=" + "x" * 256 + ",b=" + "y" * (MAX_TRACESTATE_CHARS - 260)], None),
        ([",".join(f"k{number}=1" for number in range(33))], None),
    ],
)
def test_a_tracestate_that_is_invalid_or_too_long_is_left_out(states: list[str], kept: str | None) -> None:
    assert received([SAMPLED], states) == TraceContext(SAMPLED, kept)


@pytest.mark.parametrize("stated", [None, 1, ["x"], "no", {"a": "b"}])
def test_what_another_program_wrote_is_checked(stated: object) -> None:
    assert stated_in({"traceparent": stated}) is None
    assert stated_in({"traceparent": SAMPLED, "tracestate": stated}) == TraceContext(SAMPLED)


def test_a_context_that_another_program_wrote_is_checked() -> None:
    assert checked(TraceContext(SAMPLED, "A=1")) == TraceContext(SAMPLED)
    assert checked(TraceContext(f"{SAMPLED}\r\nx: y")) is None
    assert checked(None) is None


async def test_a_task_is_in_a_span_until_it_ends() -> None:
    with Within(OFF.start("outer", parent=TraceContext(SAMPLED)), "d-1") as span:
        assert (current(), span.context, document()) == (TraceContext(SAMPLED), TraceContext(SAMPLED), "d-1")
        with Within(OFF.start("inner", parent=current())):
            assert (current(), document()) == (TraceContext(SAMPLED), "d-1")
    assert (current(), document()) == (None, None)


async def test_a_task_that_outlives_its_beginner_is_in_no_span() -> None:
    async def seen() -> tuple[TraceContext | None, str | None]:
        return current(), document()

    with Within(OFF.start("outer", parent=TraceContext(SAMPLED)), "d-1"):
        inside = asyncio.create_task(seen())
        apart = asyncio.create_task(seen(), context=outside())
    assert await inside == (TraceContext(SAMPLED), "d-1")
    assert await apart == (None, None)
