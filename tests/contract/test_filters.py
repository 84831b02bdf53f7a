"""Filters choose events by what these hold, and a wrong one is refused with the place of the fault."""

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.article import Flag, PageKind
from contract.codec import encode
from contract.events import erased
from contract.filter_fields import FIELDS
from contract.filter_grammar import MAX_DEPTH
from contract.filters import MAX_FILTER_CHARS, Filter, FilterError
from contract.job import Kind
from contract.reasons import Reason

GOLDEN = Path(__file__).parents[1] / "golden"
SUBSCRIBING = (Path(__file__).parents[2] / "docs" / "subscribing.md").read_text(encoding="utf-8")

Event = dict[str, Any]


def golden(name: str) -> Event:
    event: Event = json.loads((GOLDEN / name).read_text(encoding="utf-8"))
    return event


ARTICLE = golden("document.processed.v1.quality.json")
FAILURE = golden("document.failed.v1.full.json")
ERASURE: Event = json.loads(encode(erased("d", "2026-01-01T00:00:00Z")))


def changed(**data: object) -> Event:
    """Returns the article's event with other data."""
    return {**ARTICLE, "data": {**ARTICLE["data"], **data}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("type = processed", True),
        ("type = failed", False),
        ("type in (failed, erased)", False),
        ("kind = text", True),
        ("language = en", True),
        ("language = EN", True),
        ("language != de", True),
        ("language in (de, en)", True),
        ("host = www.example.com", True),
        ("host = example.com", True),
        ("host = EXAMPLE.com.", True),
        ("host = ample.com", False),
        ("host = com", True),
        ("host = news.www.example.com", False),
        ("url = https://www.example.com/a", True),
        ("url = https://www.example.com/", False),
        ("labels.topic = harbour", True),
        ("labels.topic = 'harbour'", True),
        ('labels."topic" = "harbour"', True),
        ("labels.topic = harb", False),
        ("labels.desk = harbour", False),
        ("labels.desk != harbour", True),
        ("page_kind = article", True),
        ("page_kind in (listing, other)", False),
        ("flags = paywall", True),
        ("flags != paywall", False),
        ("flags != truncated", True),
        ("flags in (truncated, short)", True),
        ("confidence >= 0.93", True),
        ("confidence > 0.93", False),
        ("confidence <= .93", True),
        ("confidence < 0.93", False),
        ("time >= 2026-11-22T10:00:01Z", True),
        ("time > 2026-11-22T10:00:01.000Z", False),
        ("time < 2026-11-22T11:00:02+01:00", True),
        ("time >= 2026-11-22 and time < 2026-11-23", True),
        ("time >= '2026-11-22 10:00:02'", False),
        ("has title", True),
        ("has duplicate_of", False),
        ("has labels.topic", True),
        ("has labels.desk", False),
        ("reason = gone", False),
        ("reason != gone", True),
    ],
)
def test_a_test_is_true_of_an_article_or_not(text: str, expected: bool) -> None:
    assert Filter.parse(text).matches(ARTICLE) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("type = failed", True),
        ("reason = server_error", True),
        ("reason in (gone, not_found)", False),
        ("host = example.com", True),  # of the URL: a failed event has no host of its own
        ("language = en", False),
        ("not language = en", True),
        ("has title", False),
        ("flags = short", False),
        ("confidence < 1", False),
    ],
)
def test_a_failure_is_filtered_by_what_it_has(text: str, expected: bool) -> None:
    assert Filter.parse(text).matches(FAILURE) is expected


def test_an_erasure_has_type_and_time_alone() -> None:
    assert Filter.parse("type = erased").matches(ERASURE)
    has = {name for name in FIELDS if Filter.parse(f"has {name}").matches(ERASURE)}
    assert has == {"type", "time"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("has title and has language", True),
        ("has title and has duplicate_of", False),
        ("has duplicate_of or has title", True),
        ("not has title", False),
        ("not not has title", True),
        ("has title or has title and has duplicate_of", True),  # and binds closer than or
        ("(has title or has title) and has duplicate_of", False),
        ("not has duplicate_of and has duplicate_of", False),  # not binds closest
        ("not (has duplicate_of and has title)", True),
        ("  has\ttitle\n", True),
        ("has duplicate_of or (type=processed and(language=en))", True),
    ],
)
def test_tests_are_joined(text: str, expected: bool) -> None:
    assert Filter.parse(text).matches(ARTICLE) is expected


def test_a_language_covers_its_variants() -> None:
    assert Filter.parse("language = en").matches(changed(language="en-GB"))
    assert not Filter.parse("language = en-GB").matches(changed(language="en"))
    assert not Filter.parse("language = e").matches(changed(language="en"))


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("host = bücher.example", "xn--bcher-kva.example"),
        ("host = 192.0.2.7", "192.0.2.7"),
        ("host = 2001:DB8::7", "2001:db8::7"),
    ],
)
def test_a_host_is_compared_as_events_write_it(text: str, host: str) -> None:
    assert Filter.parse(text).matches(changed(host=host))


def test_quoted_values_and_names_may_hold_anything() -> None:
    event = changed(labels={'a "b" (c)': "O'Neill, \\ and =", "and": "or"})
    assert Filter.parse(r"""labels."a \"b\" (c)" = 'O\'Neill, \\ and ='""").matches(event)
    assert Filter.parse("labels.and = or and has title").matches(event)


def test_what_is_empty_is_not_there() -> None:
    assert not Filter.parse("has authors").matches(changed(authors=[]))
    assert not Filter.parse("has title").matches(changed(title=None))
    assert not Filter.parse("has labels.topic").matches(changed(labels={"topic": ""}))


def test_an_unknown_confidence_is_neither_high_nor_low() -> None:
    event = changed(quality={"confidence": None, "flags": []})
    assert not Filter.parse("confidence >= 0 or confidence <= 1").matches(event)


@pytest.mark.parametrize(
    ("name", "values"), [("kind", Kind), ("page_kind", PageKind), ("reason", Reason), ("flags", Flag)]
)
def test_every_value_of_a_closed_set_can_be_asked_for(name: str, values: type[Kind | PageKind | Reason | Flag]) -> None:
    assert str(Filter.parse(f"{name} in ({', '.join(values)})")).startswith(name)


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("", 1, "expected here: (, a field, has, not"),
        ("language", 9, "expected here: a comparison, in"),
        ("language =", 11, "expected here: a value"),
        ("language == en", 11, "expected here: a value"),
        ("language = en AND has title", 15, "expected here: and, or, the end"),
        ("language = en)", 14, "expected here: and, or, the end"),
        ("(language = en", 15, "expected here: ), and, or"),
        ("language in en", 13, "expected here: ("),
        ("language in ()", 14, "expected here: a value"),
        ('labels.desk = "City', 15, "expected here: a value"),
        ("kind = text and colour = red", 17, "fields are type, time, kind, language, host,"),
        ("labels = red", 1, "fields are"),
        ("title.x = red", 1, "fields are"),
        ("kind = pdf", 8, "kind is one of url, text, html"),
        ("flags in (short, long)", 18, "flags is one of short,"),
        ("confidence >= high", 15, "confidence is a number from 0 to 1"),
        ("confidence >= 80", 15, "confidence is a number from 0 to 1"),
        ("confidence >= nan", 15, "confidence is a number from 0 to 1"),
        ("confidence = 1", 12, "confidence is compared with >= <= > < only"),
        ("confidence in (1)", 12, "confidence is compared with >= <= > < only"),
        ("time >= yesterday", 9, "time is like 2026-11-29 or 2026-11-29T12:00:00Z"),
        ("time = 2026-11-22", 6, "time is compared with >= <= > < only"),
        ("kind > text", 6, "kind is compared with = != only"),
        ("title = Ferry", 7, "ask for it with: has title"),
        ("host = https://example.com/", 8, "host is a host name"),
        ("host = example.com:80", 8, "host is a host name"),
    ],
)
def test_a_wrong_filter_is_refused_at_the_place_of_its_fault(text: str, position: int, message: str) -> None:
    with pytest.raises(FilterError) as caught:
        Filter.parse(text)
    assert caught.value.position == position
    assert str(caught.value).startswith(message)


def test_length_and_depth_are_bounded() -> None:
    longest = "labels.x = " + "y" * (MAX_FILTER_CHARS - 11)
    assert not Filter.parse(longest).matches(ARTICLE)
    with pytest.raises(FilterError, match="at most 1000 characters"):
        Filter.parse(longest + "y")
    assert not Filter.parse("not " * (MAX_DEPTH - 1) + "has title").matches(ARTICLE)
    with pytest.raises(FilterError, match="at most 16 deep") as caught:
        Filter.parse("has url or " + "not " * MAX_DEPTH + "has title")
    assert caught.value.position == 12
    brackets = (MAX_FILTER_CHARS - 9) // 2
    assert Filter.parse("(" * brackets + "has title" + ")" * brackets).matches(ARTICLE)


def test_a_filter_is_its_text() -> None:
    text = " language = en "
    assert str(Filter.parse(text)) == text
    assert Filter.parse(text) == Filter.parse(text)
    assert Filter.parse(text) != Filter.parse("language = de")


@given(st.text(st.sampled_from("ab.\"'()=!<> \\\n0,and or not in has type labels.x é"), max_size=40))
def test_any_text_is_a_filter_or_has_a_fault_inside(text: str) -> None:
    with suppress(FilterError):
        Filter.parse(text)
        return
    with pytest.raises(FilterError) as caught:
        Filter.parse(text)
    assert 1 <= caught.value.position <= len(text) + 1


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
TESTS = ["type = failed", "language = en", "host = example.com", "url = x", "flags = short", "confidence > 0.5"]
EVERYTHING = " or ".join([*TESTS, "labels.x = 1", *(f"has {name}" for name in FIELDS)])


@given(st.dictionaries(st.sampled_from([*FIELDS, "quality", "labels"]), JSON) | JSON)
def test_any_event_matches_or_does_not(data: object) -> None:
    assert Filter.parse(EVERYTHING).matches({"type": "other", "data": data}) in {True, False}


def test_the_documentation_has_all_fields_with_their_comparisons_and_its_examples_are_filters() -> None:
    section = SUBSCRIBING.partition("## Filters\n")[2].partition("\n## ")[0]
    documented: dict[str, tuple[str, ...]] = {}
    for names, comparisons in re.findall(r"^\| (`.+?`) \| (.+?) \|", section, re.MULTILINE):
        for name in re.findall(r"`(.+?)`", names):
            documented[name] = tuple(set(re.findall(r"`(.+?)`", comparisons)) - {"in", "has"})
    known = {name: set(field.comparisons) for name, field in FIELDS.items()} | {"labels.NAME": {"=", "!="}}
    assert {name: set(comparisons) for name, comparisons in documented.items()} == known
    examples = re.findall(r"^    (\w.*)$", section.partition("filter     =")[0], re.MULTILINE)
    assert [str(Filter.parse(example)) for example in examples] == examples
    assert len(examples) == 3
