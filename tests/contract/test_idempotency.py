import json

import pytest

from contract.idempotency import body_digest
from contract.submission import parse_line, parse_submission

DOCUMENT = {
    "html": "<p>Copy</p>",
    "url": "https://example.org/a",
    "metadata": {"title": "T", "authors": ["A"], "published": "2024-10-19", "language": "en", "site_name": "S"},
    "labels": {"topic": "news", "desk": "7"},
    "options": {"formats": ["text", "html"], "include": ["links"], "focus": "recall", "keep_all": True},
}


def digest(fields: object, **json_options: object) -> str:
    return body_digest(parse_submission(json.dumps(fields, **json_options).encode()).submission)  # type: ignore[arg-type]


def test_digests_never_change() -> None:
    assert digest({"text": "a"}) == "9d7c32a2ff32a96ccee78c01ea1f7ec2"
    assert digest(DOCUMENT) == "973873edac947e622646e1c69583f376"


def test_how_a_document_is_written_makes_no_difference() -> None:
    reordered = dict(reversed(DOCUMENT.items())) | {"labels": {"desk": "7", "topic": "news"}}
    assert digest(reordered, indent=2) == digest(DOCUMENT)
    assert digest(DOCUMENT | {"text": None}) == digest(DOCUMENT)


def test_the_lane_makes_no_difference() -> None:
    assert digest({"text": "a", "options": {"lane": "bulk"}}) == digest({"text": "a"})


def test_defaults_make_no_difference() -> None:
    assert digest({"text": "a", "options": {"keep_all": False}, "labels": {}, "metadata": {}}) == digest({"text": "a"})


@pytest.mark.parametrize("part", ["metadata", "labels", "options"])
def test_each_part_makes_a_difference(part: str) -> None:
    parts = DOCUMENT[part]
    assert isinstance(parts, dict)
    digests = {digest(DOCUMENT)}
    for name in parts:
        digests.add(digest(DOCUMENT | {part: {key: value for key, value in parts.items() if key != name}}))
    assert len(digests) == len(parts) + 1


def test_content_kind_and_url_make_a_difference() -> None:
    bodies = [
        {"text": "a"},
        {"html": "a"},
        {"text": "b"},
        {"url": "https://example.org/a"},
        {"text": "a", "url": "https://example.org/a"},
        {"text": "a", "labels": {"title": "a"}},
        {"text": "a", "metadata": {"title": "a"}},
    ]
    assert len({digest(body) for body in bodies}) == len(bodies)


def test_a_line_is_the_same_document_as_one_that_is_posted_alone() -> None:
    line = {"text": "a", "idempotency_key": "k", "decoded": {"charset": "windows-1252", "source": "http"}}
    assert body_digest(parse_line(json.dumps(line).encode()).submission) == digest({"text": "a"})
