"""Generates the Python client's types of what is posted and answered, and of events.

They come from docs/schemas, and from the OpenAPI document for the answers that only that has.
`python -m tests.clients.python_types`, or `make schemas`, writes them anew.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.service.conformance import document

ROOT = Path(__file__).parents[2]
GENERATED = ROOT / "clients" / "python" / "copydesk_client" / "schemas.py"

EVENTS = (
    "document.processed.v1",
    "document.failed.v1",
    "document.erased.v1",
    "batch.completed.v1",
    "webhook.disabled.v1",
    "webhook.test.v1",
)
ANSWERS = ("Receipt", "DocumentState", "BatchState", "ProblemDetails")
HEAD = '"""The types of what is posted and answered, and of events. Generated: `make schemas` writes it."""'
OPTIONS = (
    *("--input-file-type", "openapi", "--output-model-type", "typing.TypedDict", "--target-python-version", "3.11"),
    *("--enum-field-as-literal", "all", "--no-use-closed-typed-dict", "--use-schema-description"),
    *("--disable-timestamp", "--formatters", "ruff-format", "--custom-file-header", HEAD),
)

Schema = dict[str, Any]


def types() -> dict[str, Schema]:
    """Returns the schemas of all types by name.

    Words in answers and events are strings: later servers may have further ones. Those in requests are what is taken.
    """
    submission = _of_file("submission")
    submission["Submission"].pop("oneOf")  # the fields' names; which of them go together the server says
    found = _of_document()
    for name in EVENTS:
        found |= _of_file(name)
    opened = {name: _open(_with_constants(schema)) for name, schema in found.items() if name not in submission}
    return dict(sorted((opened | {name: _unbounded(schema) for name, schema in submission.items()}).items()))


def _of_file(name: str) -> dict[str, Schema]:
    text = (ROOT / "docs" / "schemas" / f"{name}.json").read_text(encoding="utf-8")
    schema: Schema = json.loads(text.replace("#/$defs/", "#/components/schemas/"))
    inner: dict[str, Schema] = schema.pop("$defs", {})
    return inner | {schema["title"]: schema}


def _of_document() -> dict[str, Schema]:
    schemas = document()["components"]["schemas"]
    found: dict[str, Schema] = {}
    names = list(ANSWERS)
    while names:
        name = names.pop()
        if name not in found:
            found[name] = schemas[name]
            names += _references(schemas[name])
    return found


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].rpartition("/")[2]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _open(node: Any) -> Any:  # noqa: ANN401 - JSON
    """Returns a schema without its lists of words."""
    if isinstance(node, dict):
        return {key: _open(value) for key, value in node.items() if key != "enum"}
    return [_open(value) for value in node] if isinstance(node, list) else node


def _with_constants(schema: Schema) -> Schema:
    """Returns a schema whose constants are always there: they tell the events apart."""
    constants = [name for name, one in schema.get("properties", {}).items() if "const" in one]
    return {**schema, "required": sorted({*schema.get("required", ()), *constants})} if constants else schema


def _unbounded(node: Any) -> Any:  # noqa: ANN401 - JSON
    """Returns a schema without its limits of lengths, which types cannot express."""
    if isinstance(node, dict):
        return {key: _unbounded(value) for key, value in node.items() if key not in {"maxLength", "minLength"}}
    return [_unbounded(value) for value in node] if isinstance(node, list) else node


def write(path: Path) -> None:
    """Writes the module of types to `path`."""
    whole = {"openapi": "3.1.0", "info": {"title": "", "version": ""}, "paths": {}, "components": {"schemas": types()}}
    with TemporaryDirectory() as folder:
        source = Path(folder) / "types.json"
        source.write_text(json.dumps(whole), encoding="utf-8")
        program = Path(sys.executable).with_name("datamodel-codegen")
        subprocess.run([program, "--input", source, "--output", path, *OPTIONS], check=True, cwd=ROOT)


if __name__ == "__main__":
    write(GENERATED)
