"""The headers of an event say of it what filters find."""

from pathlib import Path

import orjson
import pytest

from contract.codec import decode_event
from contract.event_headers import LABEL, headers_of
from contract.events import SHORT_TYPES, erased
from contract.filters import Filter

GOLDEN = Path(__file__).parents[1] / "golden"
EVENTS = sorted(path for path in GOLDEN.glob("*.json") if b'"specversion"' in path.read_bytes())


def test_there_is_a_golden_event_of_each_type() -> None:
    assert {orjson.loads(path.read_bytes())["type"] for path in EVENTS} == set(SHORT_TYPES)


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_a_filter_for_each_header_is_true_of_the_event(path: Path) -> None:
    body = path.read_bytes()
    headers = headers_of(decode_event(body))
    assert headers
    for name, value in headers.items():
        field = f'labels."{name.removeprefix(LABEL)}"' if name.startswith(LABEL) else name
        assert Filter.parse(f'{field} = "{value}"').matches(orjson.loads(body)), name


def test_the_headers_of_an_article_and_of_a_failure() -> None:
    by_name = {path.name: headers_of(decode_event(path.read_bytes())) for path in EVENTS}
    assert by_name["document.processed.v1.quality.json"] == {
        "type": "processed",
        "kind": "text",
        "language": "en",
        "host": "www.example.com",
        "page_kind": "article",
        "label.topic": "harbour",
    }
    assert by_name["document.failed.v1.full.json"] == {
        "type": "failed",
        "kind": "url",
        "host": "www.example.com",
        "reason": "server_error",
        "label.topic": "harbour",
    }


def test_an_erasure_has_its_type_alone() -> None:
    assert headers_of(erased("d", "2026-01-01T00:00:00Z")) == {"type": "erased"}


def test_a_label_whose_name_is_too_long_for_a_header_is_left_out() -> None:
    event = orjson.loads((EVENTS[0].parent / "document.processed.v1.full.json").read_bytes())
    longest, longer = "é" * 124 + "x", "é" * 125
    event["data"]["labels"] = {longest: "a", longer: "b"}
    headers = headers_of(decode_event(orjson.dumps(event)))
    assert {name for name in headers if name.startswith(LABEL)} == {f"{LABEL}{longest}"}
