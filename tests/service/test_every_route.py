"""Rules for every route of the API. The routes are those of the running application."""

import re

import pytest
from yarl import URL

from contract.broker import BrokerError, BrokerFull, BrokerUnavailable
from tests.service.conftest import RunningApi, problem

LOOKUPS = {  # they ask the ledger, not the broker
    *(("GET", "/v1/documents"), ("GET", "/v1/documents/some-id"), ("GET", "/v1/consumers")),
    *(("GET", "/v1/batches"), ("GET", "/v1/batches/some-id")),
    *(("POST", "/v1/consumers/some-name/commit"), ("DELETE", "/v1/consumers/some-name")),
    *(("POST", "/v1/event-tokens"), ("GET", "/v1/callbacks/secret")),  # they ask nobody
}
# They ask the ledger first: `test_webhooks` and `test_replays` have their broker fail.
WEBHOOKS = ("/v1/webhooks", "/v1/replays")
PUTS = {("POST", "/v1/documents"), ("POST", "/v1/dead/some-id/retry"), ("POST", "/v1/dead/retry")}
ACTS = {  # they ask the ledger first: `test_document_acts` has their broker fail
    ("DELETE", "/v1/documents/some-id"),
    ("POST", "/v1/documents/some-id/cancel"),
    ("POST", "/v1/documents/some-id/rerun"),
    ("POST", "/v1/batches/some-id/close"),  # the id is none of a batch: `test_batches`
}
MANY = {"all": "true"}  # the dead letters that a request for many selects


def filled(path: str) -> str:
    """Returns a path with a value for each of its parameters: `some-id` for `{id}`."""
    return re.sub(r"\{(\w+)\}", r"some-\1", path)


def routes(api: RunningApi) -> list[tuple[str, str]]:
    """Returns method and path of all routes that need a key, with an id where a path has one. HEAD goes with GET."""
    assert api.client.app is not None
    all_routes = [(route.method, route.resource) for route in api.client.app.router.routes()]
    paths = [(method, resource.canonical) for method, resource in all_routes if resource is not None]
    return [(method, filled(path)) for method, path in paths if path.startswith("/v1/") and method != "HEAD"]


def valid(method: str, path: str) -> URL:
    """Returns the shortest URL that the route accepts."""
    many = (method, path) in {("DELETE", "/v1/dead"), ("POST", "/v1/dead/retry")}
    return URL(path).with_query(MANY if many else {})


def document_for(method: str, path: str) -> dict[str, str] | None:
    """Returns the shortest body that the route accepts, None where it takes none."""
    takes = {("POST", "/v1/documents"), ("POST", "/v1/extract")}
    return {"text": "The ferry sails again."} if (method, path) in takes else None


async def test_an_unknown_parameter_is_refused_by_name(api: RunningApi) -> None:
    assert len(routes(api)) >= 8
    for method, path in routes(api):
        url = valid(method, path).update_query(nonsense="1")
        response = await api.client.request(method, url, json=document_for(method, path))
        body = await problem(response)
        assert (response.status, body["errors"][0]["field"], body["errors"][0]["rule"]) == (
            400,
            "nonsense",
            "unknown_parameter",
        ), (method, path)


@pytest.mark.parametrize("escaped", ["batch=%ff", "a%C3=1", "labels.topic=%ed%a0%80", "x=1&label=a%3A%e2%82"])
async def test_a_parameter_that_is_not_utf8_is_refused_by_name(api: RunningApi, escaped: str) -> None:
    name = {"a%C3=1": "a\ufffd", "x=1&label=a%3A%e2%82": "label"}.get(escaped, escaped.partition("=")[0])
    for method, path in routes(api):
        query = "&".join(filter(None, (valid(method, path).raw_query_string, escaped)))
        url = URL(f"{path}?{query}", encoded=True)
        body = await problem(await api.client.request(method, url, json=document_for(method, path)))
        assert (body["status"], body["errors"][0]["field"], body["errors"][0]["rule"]) == (400, name, "invalid_utf8"), (
            method,
            path,
        )
    assert api.broker.jobs == []


@pytest.mark.parametrize("error", [BrokerUnavailable("amqp://user:secret@broker"), BrokerFull("amqp://user:secret")])
async def test_a_broker_that_fails_is_told_with_when_to_ask_again(api: RunningApi, error: BrokerError) -> None:
    api.broker.refusal = error
    status = 429 if isinstance(error, BrokerFull) else 503
    for method, path in routes(api):
        if (
            path.startswith(WEBHOOKS)
            or (method, path) in LOOKUPS | ACTS
            or (isinstance(error, BrokerFull) and (method, path) not in PUTS)
        ):
            continue
        response = await api.client.request(method, valid(method, path), json=document_for(method, path))
        body = await problem(response)
        assert (response.status, response.headers["Retry-After"]) == (status, str(error.retry_after_s)), (method, path)
        assert "secret" not in str(body)
