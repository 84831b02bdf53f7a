"""Compares two OpenAPI documents by the rule of docs/api.md: what a client of the older one relies on must stay.

`python -m tests.service.compatibility` keeps today's document as that of the last release.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import given, settings, strategies

from tests.service.conformance import document

KEPT = Path(__file__).parents[2] / "docs" / "released" / "openapi.json"

Node = dict[str, Any]

_UPPER = ("maxLength", "maximum", "maxItems", "maxProperties")
_LOWER = ("minLength", "minimum", "minItems", "minProperties")


def breaks(old: Node, new: Node) -> list[str]:
    """Returns what of `old` a client would miss in `new`, one line each."""
    return list(_Comparison(old, new).run())


@dataclass(slots=True)
class _Comparison:
    old: Node
    new: Node
    seen: set[tuple[str, str, bool]] = field(default_factory=set)

    def run(self) -> Iterator[str]:
        for path, methods in self.old["paths"].items():
            for method, operation in methods.items():
                where = f"{method.upper()} {path}"
                other = self.new["paths"].get(path, {}).get(method)
                if other is None:
                    yield f"{where} is gone"
                else:
                    yield from self._operation(operation, other, where)

    def _operation(self, old: Node, new: Node, where: str) -> Iterator[str]:
        if old["operationId"] != new["operationId"]:
            yield f"{where}: operationId is another one"
        if any(way not in new["security"] for way in old["security"]):
            yield f"{where}: needs another scope"
        yield from self._parameters(old.get("parameters", []), new.get("parameters", []), where)
        posted, taken = (it.get("requestBody", {}).get("content", {}) for it in (old, new))
        yield from self._contents(posted, taken, f"{where} body", posted=True)
        for status, answer in old["responses"].items():
            if int(status) >= 400:  # a problem: its members are those of ProblemDetails, and its types may change
                continue
            if status not in new["responses"]:
                yield f"{where}: no more {status}"
                continue
            now = new["responses"][status]
            yield from self._contents(answer.get("content", {}), now.get("content", {}), f"{where} {status}")
            for name, header in answer.get("headers", {}).items():
                if header["required"] and not now.get("headers", {}).get(name, {}).get("required"):
                    yield f"{where} {status}: header {name} may be absent"

    def _parameters(self, old: list[Node], new: list[Node], where: str) -> Iterator[str]:
        before, now = ({(it["in"], it["name"]): it for it in given} for given in (old, new))
        for key, parameter in before.items():
            if key not in now:
                yield f"{where}: parameter {key[1]} is gone"
            else:
                yield from self._schema(parameter["schema"], now[key]["schema"], f"{where} {key[1]}", posted=True)
        for key, parameter in now.items():
            if parameter["required"] and not before.get(key, {}).get("required"):
                yield f"{where}: parameter {key[1]} is required now"

    def _contents(self, old: Node, new: Node, where: str, *, posted: bool = False) -> Iterator[str]:
        for media_type, content in old.items():
            if media_type not in new:
                yield f"{where}: no more {media_type}"
            else:
                yield from self._schema(
                    content["schema"], new[media_type]["schema"], f"{where} {media_type}", posted=posted
                )

    def _schema(self, old: Any, new: Any, where: str, *, posted: bool) -> Iterator[str]:  # noqa: ANN401 - JSON
        if not isinstance(old, dict) or not isinstance(new, dict):  # true, false
            if posted and old is not new and new is False:
                yield f"{where}: takes no further members now"
            return
        pair = (old.get("$ref", ""), new.get("$ref", ""), posted)
        if all(pair[:2]):
            if pair in self.seen:
                return
            self.seen.add(pair)
        old, new = _resolved(self.old, old), _resolved(self.new, new)
        if old.get("type") != new.get("type") or old.get("const") != new.get("const"):
            yield f"{where}: is of another type"
        yield from _limits(old, new, where, posted=posted)
        yield from self._members(old, new, where, posted=posted)
        yield from self._alternatives(old, new, where, posted=posted)

    def _members(self, old: Node, new: Node, where: str, *, posted: bool) -> Iterator[str]:
        for kind in ("properties", "patternProperties"):
            for name, schema in old.get(kind, {}).items():
                if name not in new.get(kind, {}):
                    yield f"{where}.{name} is gone"
                else:
                    yield from self._schema(schema, new[kind][name], f"{where}.{name}", posted=posted)
        for kind in ("items", "additionalProperties"):
            if kind in old or kind in new:
                yield from self._schema(old.get(kind, True), new.get(kind, True), f"{where}[]", posted=posted)
        before, now = set(old.get("required", [])), set(new.get("required", []))
        for name in sorted(now - before if posted else before - now):
            yield f"{where}.{name} {'is required now' if posted else 'may be absent'}"

    def _alternatives(self, old: Node, new: Node, where: str, *, posted: bool) -> Iterator[str]:
        """Of what may be posted nothing may be missing; answers may have no form that clients do not know."""
        for kind in ("anyOf", "oneOf"):
            before, now = old.get(kind, []), new.get(kind, [])
            known, others = (before, now) if posted else (now, before)
            for number, one in enumerate(known):
                if not any(self._fits(one, other, posted=posted) for other in others):
                    yield f"{where}: form {number} is {'gone' if posted else 'new'}"

    def _fits(self, known: Node, other: Node, *, posted: bool) -> bool:
        old, new = (known, other) if posted else (other, known)
        apart = _Comparison(self.old, self.new, set(self.seen))
        return not list(apart._schema(old, new, "", posted=posted))


def _limits(old: Node, new: Node, where: str, *, posted: bool) -> Iterator[str]:
    if not posted:  # answers may get further words: docs/api.md says so
        return
    for word in old.get("enum", []):
        if word not in new.get("enum", [word]):
            yield f"{where}: no more {word}"
    if "enum" in new and "enum" not in old:
        yield f"{where}: takes certain words only"
    if "pattern" in new and not _is_as_wide(new["pattern"], old.get("pattern")):
        yield f"{where}: pattern takes less"
    for name in _UPPER:
        if name in new and new[name] < old.get(name, float("inf")):
            yield f"{where}: {name} is lower"
    for name in _LOWER:
        if name in new and new[name] > old.get(name, 0):
            yield f"{where}: {name} is higher"


def _is_as_wide(new: str, old: str | None) -> bool:
    """Tells whether `new` matches what `old` does, by words that are made up for `old`."""
    if old is None or new == old:
        return new == old

    @settings(derandomize=True, database=None)
    @given(strategies.from_regex(old))
    def each(word: str) -> None:
        assert re.search(new, word)

    try:
        each()
    except AssertionError:
        return False
    return True


def _resolved(whole: Node, schema: Node) -> Node:
    while "$ref" in schema:
        schema = whole["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


if __name__ == "__main__":
    KEPT.write_text(json.dumps(document(), indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
