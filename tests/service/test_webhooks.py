"""Webhooks over HTTP."""

from typing import Any

import pytest

from contract.addresses import AddressRule
from contract.broker import BrokerUnavailable
from contract.codec import encode
from contract.events import erased
from contract.job import Job
from contract.streams import Stream
from contract.webhooks import DeliveryState, is_secret
from service.context import WEBHOOKS
from tests.brokers import samples
from tests.runtime.ledger.records import Records
from tests.runtime.ledger.test_webhooks import delivery, webhook
from tests.service.conftest import RunningApi, StartApi, problem
from tests.service.ledgers import BrokenBook, StartLedgerApi, ledger_api, records

__all__ = ["ledger_api", "records"]

URL = "https://example.com/hook"
KEYS = ("ann:ann-key", "bob:bob-key", "ops:ops-key")


@pytest.fixture
async def hooks(ledger_api: StartLedgerApi) -> RunningApi:
    return await ledger_api()


def by(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}-key"}


async def make(api: RunningApi, headers: dict[str, str] | None = None, **fields: object) -> dict[str, Any]:
    async with api.client.post("/v1/webhooks", json={"url": URL, **fields}, headers=headers or {}) as response:
        assert response.status == 201, await response.text()
        answer: dict[str, Any] = await response.json()
        assert response.headers["Location"] == f"/v1/webhooks/{answer['id']}"
        return answer


async def get(api: RunningApi, path: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    async with api.client.get(path, headers=headers or {}) as response:
        assert response.status == 200, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer


async def test_a_new_webhook_begins_behind_the_newest_event_and_shows_its_secret_once(hooks: RunningApi) -> None:
    await hooks.broker.write("processed.en._", b"{}")
    made = await make(hooks, patterns=["processed.#"], filter="language = en", ordered=True, payload="thin")
    assert is_secret(made["secret"])
    assert (made["place"], made["documents"], made["enabled"]) == (0, "all", True)
    shown = await get(hooks, f"/v1/webhooks/{made['id']}")
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    assert (await get(hooks, "/v1/webhooks"))["webhooks"] == [shown]
    assert "whsec_" not in str(shown)


async def test_a_given_secret_is_taken_and_a_new_one_leaves_the_former_for_a_day(hooks: RunningApi) -> None:
    given = "whsec_" + "A" * 32
    made = await make(hooks, secret=given)
    assert made["secret"] == given
    response = await hooks.client.patch(f"/v1/webhooks/{made['id']}", json={"secret": "new"})
    rotated = await response.json()
    assert is_secret(rotated["secret"])
    assert (rotated["secret"] != given, rotated["former_until"]) == (True, "2024-10-20T08:30:00.000Z")


async def test_a_change_keeps_what_it_does_not_name(hooks: RunningApi) -> None:
    made = await make(hooks, patterns=["erased"], description="The archive", filter="has title")
    response = await hooks.client.patch(f"/v1/webhooks/{made['id']}", json={"enabled": False, "filter": ""})
    assert response.status == 200
    expected = {name: value for name, value in made.items() if name != "secret"} | {"enabled": False, "filter": None}
    assert await response.json() == expected
    assert await get(hooks, f"/v1/webhooks/{made['id']}") == expected


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        ({}, [("url", "missing")]),
        ({"url": "ftp://example.com/"}, [("url", "url_scheme")]),
        ({"url": "https://user:word@example.com/"}, [("url", "url_userinfo")]),
        ({"url": URL, "patterns": ["a..b"]}, [("patterns.0", "words")]),
        ({"url": URL, "patterns": ["#"] * 17}, [("patterns", "too_many")]),
        ({"url": URL, "filter": "language = "}, [("filter", "filter")]),
        ({"url": URL, "secret": "whsec_AAAA"}, [("secret", "secret")]),
        ({"url": URL, "payload": "fat"}, [("payload", "not_allowed")]),
        ({"url": URL, "ordered": "yes"}, [("ordered", "wrong_type")]),
        ({"url": URL, "colour": "red"}, [("colour", "unknown_field")]),
        ([], [("body", "wrong_type")]),
    ],
)
async def test_what_breaks_a_rule_is_refused_by_name(
    hooks: RunningApi, fields: object, faults: list[tuple[str, str]]
) -> None:
    body = await problem(await hooks.client.post("/v1/webhooks", json=fields))
    assert body["type"] == "/problems/invalid-webhook"
    assert [(fault["field"], fault["rule"]) for fault in body["errors"]] == faults


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("http://127.0.0.1/", "blocked_address"),
        ("http://0x7f.1:80/", "blocked_address"),
        ("http://[::1]/", "blocked_address"),
        ("http://[::ffff:10.0.0.1]/", "blocked_address"),
        ("http://169.254.169.254/latest", "blocked_address"),
        ("https://93.184.216.34:22/", "blocked_port"),
    ],
)
async def test_an_address_that_may_not_be_dialled_is_refused_at_once(hooks: RunningApi, url: str, rule: str) -> None:
    made = await make(hooks)
    for response in (
        await hooks.client.post("/v1/webhooks", json={"url": url}),
        await hooks.client.patch(f"/v1/webhooks/{made['id']}", json={"url": url}),
    ):
        fault = (await problem(response))["errors"][0]
        assert (fault["field"], fault["rule"]) == ("url", rule)
    assert (await get(hooks, f"/v1/webhooks/{made['id']}"))["url"] == URL


async def test_public_addresses_names_and_what_the_operator_lists_are_taken(
    hooks: RunningApi, start_api: StartApi
) -> None:
    for url in ("https://93.184.216.34/", "https://[2606:2800:220:1::1]/", "http://localhost:9000/"):
        assert (await make(hooks, url=url))["url"] == url
    assert hooks.client.app is not None
    inside = await start_api(webhooks=hooks.client.app[WEBHOOKS], receivers=AddressRule(("10.1.0.0/16",)))
    assert (await make(inside, url="http://10.1.2.3:9000/"))["url"] == "http://10.1.2.3:9000/"


async def test_a_bad_filter_is_refused_with_the_place_of_the_fault(hooks: RunningApi) -> None:
    body = await problem(await hooks.client.post("/v1/webhooks", json={"url": URL, "filter": "language == en"}))
    assert (body["errors"][0]["position"], body["detail"]) == (
        11,
        f"filter, character 11: {body['errors'][0]['message']}.",
    )


async def test_an_owner_has_a_hundred_at_most(hooks: RunningApi) -> None:
    for _ in range(100):
        await make(hooks)
    body = await problem(await hooks.client.post("/v1/webhooks", json={"url": URL}))
    assert (body["status"], body["type"]) == (409, "/problems/too-many-webhooks")


async def test_an_owner_reaches_no_others_webhooks_and_hears_of_no_others_documents(
    ledger_api: StartLedgerApi,
) -> None:
    api = await ledger_api(keys=KEYS, operators=frozenset({"ops"}))
    mine = await make(api, by("ann"))
    assert (mine["owner"], mine["documents"]) == ("ann", "own")
    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/test"),
        ("GET", "/deliveries"),
        ("POST", "/deliveries/1/redeliver"),
    ):
        where = f"/v1/webhooks/{mine['id']}{path}"
        response = await api.client.request(method, where, json={}, headers=by("bob"))
        assert (await problem(response))["status"] == 404, (method, path)
    assert (await get(api, "/v1/webhooks", by("bob")))["webhooks"] == []
    refused = await api.client.post("/v1/webhooks", json={"url": URL, "documents": "all"}, headers=by("ann"))
    assert (await problem(refused))["type"] == "/problems/insufficient-scope"
    raised = await api.client.patch(f"/v1/webhooks/{mine['id']}", json={"documents": "all"}, headers=by("ann"))
    assert (await problem(raised))["type"] == "/problems/insufficient-scope"
    theirs = await make(api, by("ops"))
    assert theirs["documents"] == "all"
    assert len((await get(api, "/v1/webhooks", by("ops")))["webhooks"]) == 2


async def test_a_removed_webhook_is_gone(hooks: RunningApi) -> None:
    made = await make(hooks)
    response = await hooks.client.delete(f"/v1/webhooks/{made['id']}")
    assert (response.status, await response.read()) == (204, b"")
    assert (await problem(await hooks.client.delete(f"/v1/webhooks/{made['id']}")))["status"] == 404


async def test_a_test_is_on_record_to_be_delivered(hooks: RunningApi) -> None:
    made = await make(hooks, enabled=False)
    response = await hooks.client.post(f"/v1/webhooks/{made['id']}/test")
    receipt = await response.json()
    assert (response.status, receipt["deliveries"]) == (202, f"/v1/webhooks/{made['id']}/deliveries")
    (delivery,) = (await get(hooks, receipt["deliveries"]))["deliveries"]
    assert (delivery["id"], delivery["event_id"]) == (receipt["id"], receipt["event_id"])
    shown = [delivery[name] for name in ("event_type", "state", "requested", "attempts", "next_at")]
    assert shown == ["copydesk.webhook.test.v1", "pending", True, 0, "2024-10-19T08:30:00.000Z"]


async def test_deliveries_come_page_by_page_and_by_state(hooks: RunningApi) -> None:
    made = await make(hooks)
    where = f"/v1/webhooks/{made['id']}/deliveries"
    ids = [(await (await hooks.client.post(f"/v1/webhooks/{made['id']}/test")).json())["id"] for _ in range(3)]
    first = await get(hooks, f"{where}?limit=2")
    assert [it["id"] for it in first["deliveries"]] == ids[:0:-1]
    second = await get(hooks, f"{where}?limit=2&cursor={first['next']}")
    assert ([it["id"] for it in second["deliveries"]], second["next"]) == (ids[:1], None)
    assert (await get(hooks, f"{where}?state=failed"))["deliveries"] == []
    for query in ("limit=0", "state=lost", "cursor=x"):
        assert (await problem(await hooks.client.get(f"{where}?{query}")))["status"] == 400


async def again(api: RunningApi, webhook: str, delivery: str) -> dict[str, Any]:
    response = await api.client.post(f"/v1/webhooks/{webhook}/deliveries/{delivery}/redeliver")
    answer: dict[str, Any] = await response.json() if response.ok else await problem(response)
    return answer


async def test_an_event_is_delivered_again_from_the_log_while_it_is_there(
    ledger_api: StartLedgerApi, records: Records
) -> None:
    kept, gone = samples.job(), samples.job()
    api, webhook = await with_deliveries(ledger_api, records, kept, gone)
    receipt = await again(api, webhook, "000-0")
    (delivery, *_) = (await get(api, receipt["deliveries"]))["deliveries"]
    assert [delivery[name] for name in ("id", "event_id", "document_id", "offset", "state", "requested")] == [
        *(receipt["id"], f"{kept.id}.1", kept.id, 0, "pending", True)
    ]
    assert (await again(api, webhook, "000-1"))["type"] == "/problems/erased"
    assert (await again(api, webhook, "000-7"))["status"] == 404
    del api.broker.log[0]
    assert (await again(api, webhook, "000-0"))["type"] == "/problems/position-gone"
    api.broker.refusal = BrokerUnavailable("amqp://user:secret@broker")
    assert (await again(api, webhook, "000-0"))["type"] == "/problems/broker-unavailable"


async def with_deliveries(ledger_api: StartLedgerApi, records: Records, *jobs: Job) -> tuple[RunningApi, str]:
    """An API with a webhook to which each job's event was delivered; the last document is erased."""
    made = webhook("anonymous")
    records.accept(*jobs)
    for job in jobs:
        records.decide(samples.processed(job))
    records.write(Stream.LOG, encode(erased(jobs[-1].id, "2026-11-29T12:00:00.000Z")))
    sent = [
        delivery(
            made,
            id=f"000-{n}",
            event_id=f"{job.id}.1",
            document_id=job.id,
            offset=n,
            state=DeliveryState.DELIVERED,
            body=None,
        )
        for n, job in enumerate(jobs)
    ]
    api = await ledger_api(webhooks=[made], deliveries=sent)
    for job in jobs:
        event = samples.processed(job)
        await api.broker.write(event.routing_key, encode(event))
    return api, made.id


async def test_without_a_ledger_there_are_no_webhooks(api: RunningApi) -> None:
    body = await problem(await api.client.get("/v1/webhooks"))
    assert (body["status"], body["type"]) == (503, "/problems/ledger-not-configured")


async def test_a_ledger_that_is_away_is_told_with_when_to_ask_again(start_api: StartApi) -> None:
    api = await start_api(webhooks=BrokenBook())
    for method, path in (("GET", ""), ("POST", ""), ("PATCH", "/1"), ("DELETE", "/1"), ("POST", "/1/test")):
        response = await api.client.request(method, f"/v1/webhooks{path}", json={"url": URL})
        assert (await problem(response))["type"] == "/problems/ledger-unavailable", (method, path)
        assert response.headers["Retry-After"] == "5"


async def test_a_webhook_is_not_made_while_the_end_of_the_log_is_not_known(hooks: RunningApi) -> None:
    hooks.broker.refusal = BrokerUnavailable("amqp://user:secret@broker")
    response = await hooks.client.post("/v1/webhooks", json={"url": URL})
    assert (await problem(response))["type"] == "/problems/broker-unavailable"
    hooks.broker.refusal = None
    assert (await get(hooks, "/v1/webhooks"))["webhooks"] == []
