"""The `Prefer` header (RFC 7240)."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.http.prefer import wait_asked

LIMIT_S = 30


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (["wait=10"], 10),
        (["wait=0"], 0),
        (["WAIT = 10"], 10),
        (['wait="10"'], 10),
        (["wait=10; why=not"], 10),
        (['respond-async, wait=10, handling="a, b; wait=3"'], 10),
        (["respond-async", "wait=10"], 10),
        (['foo="wait=3", wait=10'], 10),
        (["foo; wait=3, wait=10"], 10),
        (["foo=, wait=10"], 10),
        ([", ,wait=10,"], 10),
        (["@@@, wait=10"], 10),
        (["wait=5, wait=10"], 5),
        (["wait=5", "wait=10"], 5),
        (["wait=0000000000000010"], 10),
    ],
)
def test_the_first_wait_counts(headers: list[str], seconds: int) -> None:
    assert wait_asked(headers, LIMIT_S) == seconds


@pytest.mark.parametrize("asked", ["31", "9999999999", "9" * 8000])
def test_a_wait_above_the_limit_becomes_the_limit(asked: str) -> None:
    assert wait_asked([f"wait={asked}"], LIMIT_S) == LIMIT_S


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [""],
        ["respond-async"],
        ["wait"],
        ["wait="],
        ['wait=""'],
        ["wait=soon"],
        ["wait=-1"],
        ["wait=1.5"],
        ["wait=1e3"],
        ["wait=٣"],
        ["wait=10s"],
        ["waiting=10"],
        ["wait=soon, wait=10"],
        ["foo; wait=10"],
        ['wait="10'],
        ["wait 10"],
    ],
)
def test_a_wait_that_is_no_whole_number_is_ignored(headers: list[str]) -> None:
    assert wait_asked(headers, LIMIT_S) is None


@pytest.mark.parametrize(
    "hostile",
    ["wait=" + " " * 8000 + "!" * 10, "a;" + '"' * 8001, ('a;",' * 2001)[:8001], "," * 8000, "a" * 8000 + " " * 100],
)
def test_a_header_that_cannot_be_read_takes_no_time(hostile: str) -> None:
    began = time.process_time()
    assert wait_asked([hostile], LIMIT_S) is None
    assert time.process_time() - began < 0.05


PIECES = ["wait", "=", "10", '"', "\\", ",", ";", " ", "\t", "é", "a", "0", "-"]


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), max_size=3))
def test_any_header_gives_a_number_within_the_limit_or_none(headers: list[str]) -> None:
    assert wait_asked(headers, LIMIT_S) in {None, *range(LIMIT_S + 1)}


@given(st.lists(st.sampled_from(["respond-async", 'a="b, c"', "return=minimal; x=1", "x=", ""]), max_size=5))
def test_other_preferences_do_not_hide_it(others: list[str]) -> None:
    assert wait_asked([", ".join([*others, "wait=7"])], LIMIT_S) == 7
