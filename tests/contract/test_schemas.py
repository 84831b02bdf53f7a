from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from contract.schemas import schemas

ROOT = Path(__file__).parent.parent.parent
GOLDEN = ROOT / "tests" / "golden"


def test_the_schemas_in_the_docs_are_current() -> None:
    kept = {path.name: orjson.loads(path.read_bytes()) for path in (ROOT / "docs" / "schemas").glob("*.json")}
    assert kept == orjson.loads(orjson.dumps(schemas())), "run make schemas"


@pytest.mark.parametrize("schema", schemas().values(), ids=schemas().keys())
def test_each_is_a_schema(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("sample", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_the_golden_samples_are_valid(sample: Path) -> None:
    name, _, _ = sample.stem.rpartition(".")
    Draft202012Validator(schemas()[f"{name}.json"]).validate(orjson.loads(sample.read_bytes()))


@pytest.mark.parametrize(
    ("body", "valid"),
    [
        ({"text": "a"}, True),
        ({"url": "https://example.com/"}, True),
        ({"html": "<p>a", "url": "https://example.com/"}, True),
        ({"text": "a", "html": "<p>a"}, False),
        ({}, False),
        ({"text": "a", "surprise": 1}, False),
        ({"text": "a", "labels": {"a": 1}}, False),
        ({"text": "a", "options": {"formats": ["markdown"], "include": [], "focus": "recall", "keep_all": True}}, True),
        ({"text": "a", "options": {"formats": ["pdf"]}}, False),
        ({"text": "a", "options": {"formats": []}}, False),
        ({"text": "a", "options": {"keep_all": "yes"}}, False),
    ],
)
def test_the_submission_schema_refuses_what_the_service_refuses(body: dict[str, Any], valid: bool) -> None:
    assert Draft202012Validator(schemas()["submission.json"]).is_valid(body) is valid
