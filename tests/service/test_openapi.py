"""The OpenAPI document tells of all routes, and its examples hold. `conformance` compares all other answers with it."""

import asyncio
import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse
from openapi_spec_validator import validate

from contract.codec import encode
from contract.job import Job, Kind, Lane
from contract.replays import Replay, ReplayState, ReplayTarget
from contract.schemas import schemas
from contract.webhooks import Delivery, DeliveryState, Documents, Webhook, new_secret
from runtime.ledger.database import ledger_url, open_engine
from service import problems
from service.api import samples
from service.api.document import problems_of
from service.api.operation import Example, Location, Operation
from service.api.posting import POST_DOCUMENT
from service.routes import operations
from tests.brokers.samples import again
from tests.ledger_model import empty_ledger
from tests.runtime.ledger.records import Records, failed, record_all
from tests.service.conformance import document, validator
from tests.service.conftest import NOW, RunningApi, problem
from tests.service.ledgers import StartLedgerApi, ledger_api, records
from tests.service.memory_dead import letter

__all__ = ["ledger_api", "records"]

EXAMPLES = [(operation, name) for operation in operations() for name in operation.examples]
STREAM = "text/event-stream"
FINE = {200, 201, 202, 204}
NOT_OF_AN_OPERATION = {problems.METHOD_NOT_ALLOWED}  # of a path, for a method that is no operation


def job(document_id: str, **more: Any) -> Job:  # noqa: ANN401 - fields of a job
    fields = {"kind": Kind.TEXT, "lane": Lane.INTERACTIVE, "content": samples.TEXT, "owner": "anonymous", **more}
    return Job(id=document_id, accepted_at=samples.AT, **fields)


@cache
def full_ledger() -> bytes:
    """Returns the file of a ledger with the documents of the examples. It runs an event loop of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        path.write_bytes(empty_ledger())
        asyncio.run(record_examples(path))
        assert [file.name for file in path.parent.iterdir()] == [path.name], "all of it is in one file"
        return path.read_bytes()


async def record_examples(path: Path) -> None:
    waiting = job(samples.WAITING_ID, batch=samples.BATCH_NAME)
    url = job(samples.FAILED_ID, kind=Kind.URL, content=None, url="https://example.com/gone", batch=samples.BATCH_NAME)
    records = Records()
    records.accept(job(samples.ID), url, waiting)
    records.retry(waiting)
    records.decide(samples.EVENT)
    records.decide(failed(url))
    engine = open_engine(ledger_url(f"sqlite:///{path}"), writes=True)
    await record_all(records, engine)
    await engine.dispose()


@pytest.fixture
async def full_api(ledger_api: StartLedgerApi) -> RunningApi:
    """An API with the documents and dead letters of the examples."""
    webhook = Webhook(
        id=samples.WEBHOOK_ID,
        owner="anonymous",
        url="https://example.com/",
        secret=new_secret(),
        created_at=NOW,
        updated_at=NOW,
    )
    delivered = Delivery(
        id=samples.DELIVERY_ID,
        webhook_id=webhook.id,
        event_id=samples.EVENT.id,
        event_type=samples.EVENT.type,
        offset=0,
        state=DeliveryState.DELIVERED,
        created_at=NOW,
    )
    running = Replay(
        id=samples.REPLAY_ID,
        owner="anonymous",
        target=ReplayTarget.DOWNLOAD,
        documents=Documents.ALL,
        until=0,
        per_second=100,
        created_at=NOW,
        updated_at=NOW,
    )
    stopped = replace(running, id=samples.STOPPED_REPLAY_ID, state=ReplayState.CANCELLED)
    content = await asyncio.to_thread(full_ledger)
    api = await ledger_api(content=content, webhooks=[webhook], deliveries=[delivered], replays=[running, stopped])
    api.broker.letters = [letter(again(job(samples.LETTER_ID, kind=Kind.HTML)))]
    api.broker.answers.put_nowait(encode(samples.EVENT))
    await api.broker.write(samples.EVENT.routing_key, encode(samples.EVENT))
    (await api.client.get("/v1/events", params={"consumer": samples.CONSUMER.name, "follow": "false"})).close()
    return api


def query_of(operation: Operation, example: Example) -> list[tuple[str, str]]:
    """Returns the query parameters of a call, as their schemas say that they are written."""
    elsewhere = {parameter.name for parameter in operation.parameters if parameter.location is not Location.QUERY}
    pairs = [(name, value) for name, value in example.values.items() if name not in elsewhere]
    return [(name, written(one)) for name, value in pairs for one in (value if isinstance(value, list) else [value])]


def written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


async def call(api: RunningApi, operation: Operation, example: Example) -> ClientResponse:
    """Makes the request of the example."""
    headers = {parameter.name for parameter in operation.parameters if parameter.location is Location.HEADER}
    sent = {name: str(value) for name, value in example.values.items() if name in headers}
    if example.media_type:
        sent["Content-Type"] = example.media_type
    body = example.body if example.body is None or isinstance(example.body, str) else json.dumps(example.body)
    path = operation.path.format_map({name: str(value) for name, value in example.values.items()})
    return await api.client.request(
        operation.method, path, params=query_of(operation, example), headers=sent, data=body
    )


def documented(operation: Operation) -> Mapping[str, Any]:
    """Returns the operation as the document has it."""
    found: Mapping[str, Any] = document()["paths"][operation.path][operation.method.lower()]
    return found


async def test_the_document_is_openapi(api: RunningApi) -> None:
    response = await api.client.get("/openapi.json")
    assert (response.status, response.content_type) == (200, "application/json")
    answer = await response.json()
    validate(answer)
    assert (answer["openapi"], answer) == ("3.1.0", document())


async def test_the_document_has_the_routes_of_the_application_and_no_others(api: RunningApi) -> None:
    assert api.client.app is not None
    routes = {
        (route.method, route.resource.canonical)
        for route in api.client.app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    there = {(method.upper(), path) for path, methods in document()["paths"].items() for method in methods}
    assert there == routes


async def test_what_answers_get_answers_head_as_the_document_says(api: RunningApi) -> None:
    assert api.client.app is not None
    routes = [(route.method, route.resource.canonical) for route in api.client.app.router.routes() if route.resource]
    without = {path for method, path in routes if method == "GET"} - {
        path for method, path in routes if method == "HEAD"
    }
    assert without == {"/v1/events", "/v1/replays/{id}/events", "/v1/dead", "/v1/dead/{id}"}
    assert "but for event streams and dead letters" in document()["info"]["description"].replace("\n", " ")


def test_every_problem_is_one_of_an_operation() -> None:
    listed = {kind for operation in operations() for kind in problems_of(operation)}
    assert set(problems.ALL) - listed == NOT_OF_AN_OPERATION


def test_the_schemas_are_those_of_the_contract() -> None:
    components = document()["components"]["schemas"]
    published = schemas()["submission.json"]
    assert components["Submission"]["properties"].keys() == published["properties"].keys()
    for name, component in (("document.processed.v1", "ProcessedEvent"), ("document.failed.v1", "FailedEvent")):
        text = json.dumps(schemas()[f"{name}.json"]["properties"]).replace("#/$defs/", "#/components/schemas/")
        assert json.loads(text) == components[component]["properties"]


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.id)
async def test_the_parameters_that_are_documented_are_taken(api: RunningApi, operation: Operation) -> None:
    path = (
        operation.path.replace("{id}", "some-id")
        .replace("{delivery}", "some-delivery")
        .replace("{slug}", "not-found")
        .replace("{name}", "page.css")
    )
    names = [one.name + ".x" * one.family for one in operation.parameters if one.location is Location.QUERY]
    for name in names:
        headers = {"Content-Type": "text/plain"} if operation is POST_DOCUMENT else {}
        response = await api.client.request(operation.method, path, params={name: "\0"}, headers=headers)
        refused = (await problem(response)).get("errors", []) if response.status == 400 else []
        assert "unknown_parameter" not in {fault["rule"] for fault in refused}, name


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.id)
def test_every_operation_has_examples_and_the_document_has_them(operation: Operation) -> None:
    assert operation.examples
    assert {example.status for example in operation.examples.values()} & FINE
    assert set(operation.examples) >= named_in(documented(operation))
    for name, example in operation.examples.items():
        assert {one for one, _ in query_of(operation, example)} <= {one.name for one in operation.parameters}, name


def named_in(value: object) -> set[str]:
    """Returns the names of all examples in a part of the document."""
    if isinstance(value, list):
        return set().union(*map(named_in, value))
    if not isinstance(value, dict):
        return set()
    own = set(value["examples"]) if isinstance(value.get("examples"), dict) else set()
    return own.union(*(named_in(part) for name, part in value.items() if name != "examples"))


@pytest.mark.parametrize(("operation", "name"), EXAMPLES, ids=[f"{one.id}: {name}" for one, name in EXAMPLES])
async def test_an_example_holds(full_api: RunningApi, operation: Operation, name: str) -> None:
    example = operation.examples[name]
    async with await call(full_api, operation, example) as response:
        assert response.status == example.status, await response.text()
        if response.content_type == STREAM:
            assert await first_event(response) == json.loads(encode(samples.EVENT))
        elif example.answer is not None:
            assert response.content_type == example.answer_type
            await compare(response, example)


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.id)
async def test_the_prefilled_values_of_the_page_are_accepted(full_api: RunningApi, operation: Operation) -> None:
    """Swagger UI fills in each parameter's first example or default, and the first example of the first body."""
    values: dict[str, Any] = {}
    for parameter in documented(operation).get("parameters", []):
        first = next(iter(parameter.get("examples", {}).values()), {"value": parameter["schema"].get("default")})
        values |= {} if first["value"] is None else {parameter["name"]: first["value"]}
    posted = documented(operation).get("requestBody", {"content": {}})["content"]
    media_type = next(iter(posted), None)
    body = next(iter(posted[media_type]["examples"].values()))["value"] if media_type else None
    filled = Example(about="", values=values, media_type=media_type, body=body)
    async with await call(full_api, operation, filled) as response:
        assert response.status in FINE, await response.text()


async def first_event(response: ClientResponse) -> object:
    async for line in response.content:
        if line.startswith(b"data: "):
            return json.loads(line.removeprefix(b"data: "))
    raise AssertionError("the stream ended")


async def compare(response: ClientResponse, example: Example) -> None:
    """The answer is of the form that the example shows; `conformance` has compared it with its schema."""
    if isinstance(example.answer, problems.ProblemType):
        assert (await problem(response))["type"] == example.answer.path
    elif isinstance(example.answer, str):
        assert await response.text() == example.answer
    else:
        shown = json.loads(encode(example.answer))
        assert set(await response.json(content_type=None)) <= set(shown)


@pytest.mark.parametrize(("operation", "name"), EXAMPLES, ids=[f"{one.id}: {name}" for one, name in EXAMPLES])
def test_the_values_of_an_example_are_valid(operation: Operation, name: str) -> None:
    example = operation.examples[name]
    for parameter in documented(operation).get("parameters", []):
        if name in parameter.get("examples", {}) and example.status in FINE:
            validator(parameter["schema"]).validate(parameter["examples"][name]["value"])
    if example.media_type and example.status in FINE:
        validator(documented(operation)["requestBody"]["content"][example.media_type]["schema"]).validate(example.body)
    if example.answer is not None:
        content = documented(operation)["responses"][str(example.status)]["content"][example.answer_type]
        validator(content["schema"]).validate(content["examples"][name]["value"])


def test_an_example_that_is_wrong_is_found() -> None:
    state = replace(samples.state(), state="thinking")  # type: ignore[arg-type] # the defect
    errors = validator({"$ref": "#/components/schemas/DocumentState"}).iter_errors(json.loads(encode(state)))
    assert [list(error.absolute_path) for error in errors] == [["state"]]
