"""Nothing that a client of the last release relies on is gone: docs/api.md has the rule."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tests.service.compatibility import KEPT, breaks
from tests.service.conformance import document

Change = Callable[[dict[str, Any]], object]


def released() -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8"))
    return kept


def test_clients_of_the_last_release_miss_nothing() -> None:
    assert breaks(released(), document()) == []


def _post(whole: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = whole["paths"]["/v1/documents"]["post"]
    return operation


def _parameter(whole: dict[str, Any], name: str) -> dict[str, Any]:
    return next(it for it in whole["paths"]["/v1/documents"]["get"]["parameters"] if it["name"] == name)


def _option(whole: dict[str, Any], name: str) -> dict[str, Any]:
    schema: dict[str, Any] = next(it["schema"] for it in _post(whole)["parameters"] if it["name"] == name)
    return schema


def _type(whole: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = whole["components"]["schemas"][name]
    return found


BREAKING: dict[str, Change] = {
    "GET /v1/documents/{id} is gone": lambda it: it["paths"].pop("/v1/documents/{id}"),
    "DELETE /v1/dead is gone": lambda it: it["paths"]["/v1/dead"].pop("delete"),
    "POST /v1/documents: needs another scope": lambda it: _post(it).update(security=[{"key": ["admin"]}, {}]),
    "POST /v1/documents: operationId is another one": lambda it: _post(it).update(operationId="post"),
    "POST /v1/documents: no more 202": lambda it: _post(it)["responses"].pop("202"),
    "POST /v1/documents body: no more text/html": lambda it: _post(it)["requestBody"]["content"].pop("text/html"),
    "POST /v1/documents: parameter Prefer is gone": lambda it: _post(it).update(
        parameters=[one for one in _post(it)["parameters"] if one["name"] != "Prefer"]
    ),
    "GET /v1/documents: parameter host is required now": lambda it: _parameter(it, "host").update(required=True),
    "GET /v1/documents state: no more failed": lambda it: _parameter(it, "state")["schema"]["enum"].remove("failed"),
    "GET /v1/documents limit: maximum is lower": lambda it: _parameter(it, "limit")["schema"].update(maximum=5),
    "GET /v1/documents limit: is of another type": lambda it: _parameter(it, "limit")["schema"].update(type="string"),
    "POST /v1/documents formats: pattern takes less": lambda it: _option(it, "formats").update(pattern="^(text|html)$"),
    "POST /v1/documents lane: pattern takes less": lambda it: _option(it, "lane").update(pattern="^[a-z]$"),
    "POST /v1/documents 202 application/json.lane is gone": lambda it: _type(it, "Receipt")["properties"].pop("lane"),
    "POST /v1/documents 202 application/json.id may be absent": lambda it: _type(it, "Receipt")["required"].remove(
        "id"
    ),
    "POST /v1/documents body application/json.labels is gone": lambda it: _type(it, "Submission")["properties"].pop(
        "labels"
    ),
    "POST /v1/documents body application/json.labels is required now": lambda it: _type(it, "Submission").update(
        required=[*_type(it, "Submission").get("required", []), "labels"]
    ),
    "GET /openapi.json 200: header ETag may be absent": lambda it: it["paths"]["/openapi.json"]["get"]["responses"][
        "200"
    ]["headers"].pop("ETag"),
}


@pytest.mark.parametrize(("told", "change"), BREAKING.items(), ids=BREAKING.keys())
def test_each_break_is_told(told: str, change: Change) -> None:
    changed = deepcopy(document())
    change(changed)
    assert told in breaks(document(), changed)


ADDING: dict[str, Change] = {
    "a path": lambda it: it["paths"].update({"/v1/new": it["paths"]["/v1/capacity"]}),
    "an optional parameter": lambda it: _post(it)["parameters"].append({**_parameter(it, "host"), "name": "new"}),
    "a media type": lambda it: _post(it)["requestBody"]["content"].update({"text/new": {"schema": {"type": "string"}}}),
    "a member of an answer": lambda it: _type(it, "Receipt")["properties"].update(new={"type": "string"}),
    "a member that may be posted": lambda it: _type(it, "Submission")["properties"].update(new={"type": "string"}),
    "a word of an answer": lambda it: _type(it, "Reason")["enum"].append("new"),
    "a word that may be posted": lambda it: _parameter(it, "state")["schema"]["enum"].append("new"),
    "a word of a list that may be posted": lambda it: _option(it, "formats").update(
        pattern=_option(it, "formats")["pattern"].replace("text|", "text|new|")
    ),
    "a larger limit": lambda it: _parameter(it, "limit")["schema"].update(maximum=10**6),
    "a problem": lambda it: _post(it)["responses"].update({"418": _post(it)["responses"]["422"]}),
}


@pytest.mark.parametrize("change", ADDING.values(), ids=ADDING.keys())
def test_what_may_be_added_is_no_break(change: Change) -> None:
    changed = deepcopy(document())
    change(changed)
    assert changed != document()
    assert breaks(document(), changed) == []
