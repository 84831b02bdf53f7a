"""Compares each answer of each test of this folder with the OpenAPI document."""

import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson
from aiohttp import hdrs, web
from jsonschema import Draft202012Validator

from service.api.document import openapi
from service.http.middlewares import route_of
from service.routes import operations

# Those of any answer: of the message's form, not of the operation.
OF_ANY = {"Content-Type", "Content-Length", "Server", "Date", "Connection", "Transfer-Encoding"}


CLIENT_GONE = 499  # never sent


@cache
def document() -> dict[str, Any]:
    """Returns the document as a client reads it."""
    parsed: dict[str, Any] = json.loads(orjson.dumps(openapi(operations(), needs_key=False)))
    return parsed


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """Returns the validator of a schema of the document."""
    return Draft202012Validator({**schema, "components": document()["components"]})


@dataclass(slots=True)
class Conformance:
    """Collects the answers that differ from the OpenAPI document."""

    faults: list[str] = field(default_factory=list)

    def watch(self, app: web.Application) -> None:
        app.on_response_prepare.append(self._compare)

    async def _compare(self, request: web.Request, response: web.StreamResponse) -> None:
        method = "get" if request.method == hdrs.METH_HEAD else request.method.lower()
        operation = document()["paths"].get(route_of(request), {}).get(method)
        if operation is None or response.status == CLIENT_GONE:  # no route: 404, 405
            return
        where = f"{operation['operationId']}: {response.status}"
        answer = operation["responses"].get(str(response.status))
        if answer is None:
            self.faults.append(f"{where} is not documented")
            return
        self.faults += [f"{where}: {fault}" for fault in (*_in_headers(answer, response), *_in_body(answer, response))]


def _in_headers(answer: dict[str, Any], response: web.StreamResponse) -> list[str]:
    documented = answer.get("headers", {})
    present = {name.title() for name in response.headers} - {name.title() for name in OF_ANY}
    missing = [name for name, header in documented.items() if header["required"] and name not in response.headers]
    odd = present - {name.title() for name in documented}
    return [f"no {name}" for name in missing] + [f"{name} is not documented" for name in sorted(odd)]


def _in_body(answer: dict[str, Any], response: web.StreamResponse) -> list[str]:
    content = answer.get("content", {})
    if not content:
        return ["a body that is not documented"] if isinstance(response, web.Response) and response.body else []
    if response.content_type not in content:
        return [f"{response.content_type} is not documented"]
    if not isinstance(response, web.Response) or not isinstance(response.body, bytes):
        return []
    text = response.body.decode()
    value = json.loads(text) if response.content_type.endswith("json") else text
    faults = validator(content[response.content_type]["schema"]).iter_errors(value)
    return [f"{'/'.join(map(str, fault.absolute_path))} {fault.message}" for fault in faults]
