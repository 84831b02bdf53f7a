"""The AsyncAPI document is valid, and says of the events what the topology and the events themselves say."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from contract.batches import BatchCounts, CompletedBatch, FailedDocument
from contract.codec import encode
from contract.event_headers import headers_of
from contract.events import AnyEvent, batch_completed, erased
from contract.reasons import Reason
from contract.replays import REPLAY_HEADER
from contract.topology import DOCUMENTS, LOG, design
from contract.tracing import TRACEPARENT, TRACESTATE
from contract.webhooks import Payload
from tests.brokers import samples
from tests.runtime.ledger.test_webhooks import webhook
from tests.service.conftest import RunningApi
from workers.deliver.messages import Signers, body_of

SCHEMA = Path(__file__).parents[1] / "asyncapi" / "3.0.0.json"
BATCH = CompletedBatch(
    id="some-batch",
    name="import",
    closed="2026-11-29T12:00:00.000Z",
    completed="2026-11-29T12:01:00.000Z",
    counts=BatchCounts(accepted=2, processed=1, failed=1, erased=0),
    failures=(FailedDocument(id="some-id", reason=Reason.NOT_FOUND, url="https://example.com/gone"),),
)
EVENTS: dict[str, AnyEvent] = {
    "processed": samples.processed(samples.job()),
    "failed": samples.failed("some-id", Reason.NOT_FOUND),
    "erased": erased("some-id", "2026-11-29T12:00:00.000Z"),
    "batch_completed": batch_completed(BATCH),
    "webhook_disabled": samples.webhook_disabled("some-id"),
}


@pytest.fixture
async def document(api: RunningApi) -> dict[str, Any]:
    response = await api.client.get("/asyncapi.json")
    assert (response.status, response.content_type) == (200, "application/json")
    found: dict[str, Any] = await response.json()
    return found


async def test_it_is_valid(document: dict[str, Any]) -> None:
    validator = Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert [fault.message for fault in validator.iter_errors(document)] == []
    assert not validator.is_valid({**document, "channels": {"log": {"address": 7}}})


async def test_every_reference_is_there(document: dict[str, Any]) -> None:
    references = re.findall(r'"\$ref":"#/([^"]+)"', orjson.dumps(document).decode())
    assert len(references) > 20
    for reference in references:
        place: Any = document
        for part in reference.split("/"):
            place = place[part]


async def test_exchange_and_log_are_those_of_the_topology(document: dict[str, Any]) -> None:
    bindings = {
        name: channel["bindings"]["amqp"] for name, channel in document["channels"].items() if name != "webhooks"
    }
    (exchange,) = (it for it in design().exchanges if it.name == DOCUMENTS)
    assert {(bindings[name]["exchange"]["name"], bindings[name]["exchange"]["type"]) for name in EVENTS} == {
        (exchange.name, exchange.kind)
    }
    by_headers = {exchange.name for exchange in design().exchanges if exchange.kind == "headers"}
    assert bindings["by_headers"]["exchange"]["type"] == "headers"
    assert {bindings["by_headers"]["exchange"]["name"]} == by_headers
    assert bindings["log"]["queue"]["name"] in {queue.name for queue in design().queues if queue.is_stream}
    assert bindings["log"]["queue"]["name"] == LOG


@pytest.mark.parametrize("name", EVENTS)
async def test_an_event_is_as_told(document: dict[str, Any], name: str) -> None:
    event = EVENTS[name]
    channel = document["channels"][name]
    address = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(channel["address"]))
    found = re.fullmatch(address, event.routing_key)
    assert found is not None
    assert set(found.groupdict()) == set(channel.get("parameters", {}))
    message = document["components"]["messages"][name]
    assert message["name"] == event.type
    schema = {**message["payload"], "components": document["components"]}
    body = json.loads(encode(event))
    Draft202012Validator(schema).validate(body)
    assert not Draft202012Validator(schema).is_valid({**body, "type": "another"})
    headers = headers_of(event)
    assert set(message["headers"]["properties"]) >= {header for header in headers if not header.startswith("label.")}
    Draft7Validator(message["headers"]).validate(dict(headers))
    assert not Draft7Validator(message["headers"]).is_valid({"label.desk": 7, "type": name})


@pytest.mark.parametrize("payload", list(Payload))
@pytest.mark.parametrize("name", EVENTS)
async def test_what_a_webhook_gets_is_as_told(document: dict[str, Any], name: str, payload: Payload) -> None:
    event, at = EVENTS[name], datetime(2026, 11, 29, tzinfo=UTC)
    body = body_of(encode(event), payload)
    channel = document["channels"]["webhooks"]
    assert (channel["address"], set(channel["messages"]) - {f"{it}_delivery" for it in EVENTS}) == (
        None,
        {"webhook_test_delivery"},
    )
    message = document["components"]["messages"][f"{name}_delivery"]
    schema = {**message["payload"], "components": document["components"]}
    Draft202012Validator(schema).validate(json.loads(body))
    assert not Draft202012Validator(schema).is_valid({"id": event.id})
    signed = Signers(webhook()).headers(event.id, body, at)
    assert {*signed, REPLAY_HEADER, TRACEPARENT, TRACESTATE} - {"Content-Type"} == set(message["headers"]["properties"])
    Draft7Validator(message["headers"]).validate(dict(signed))
