"""Replays over HTTP."""

import gzip
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from contract.broker import BrokerUnavailable
from contract.codec import encode
from contract.timestamps import rfc3339
from tests.brokers import samples
from tests.runtime.ledger.records import Records
from tests.runtime.ledger.test_webhooks import webhook
from tests.service.conftest import RunningApi, StartApi, problem
from tests.service.ledgers import StartLedgerApi, ledger_api, records

__all__ = ["ledger_api", "records"]

KEYS = ("ann:ann-key", "bob:bob-key", "ops:ops-key")
BEGAN = datetime(2024, 10, 19, tzinfo=UTC)


def by(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}-key"}


@pytest.fixture
async def api(ledger_api: StartLedgerApi) -> RunningApi:
    return await ledger_api()


async def write(api: RunningApi, count: int, *, apart: timedelta = timedelta(0)) -> list[str]:
    """Writes events to the log, whose times are so far apart. Returns their ids."""
    ids = []
    for number in range(count):
        event = replace(samples.processed(samples.job()), time=rfc3339(BEGAN + number * apart))
        await api.broker.write(event.routing_key, encode(event))
        ids.append(event.id)
    return ids


async def make(api: RunningApi, headers: dict[str, str] | None = None, **fields: object) -> dict[str, Any]:
    async with api.client.post("/v1/replays", json=fields, headers=headers or {}) as response:
        assert response.status == 201, await response.text()
        answer: dict[str, Any] = await response.json()
        assert response.headers["Location"] == f"/v1/replays/{answer['id']}"
        return answer


async def show(api: RunningApi, replay: dict[str, Any], headers: dict[str, str] | None = None) -> dict[str, Any]:
    async with api.client.get(f"/v1/replays/{replay['id']}", headers=headers or {}) as response:
        assert response.status == 200, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer


async def lines(api: RunningApi, replay: dict[str, Any], query: str = "", **headers: str) -> list[dict[str, Any]]:
    async with api.client.get(f"{replay['events']}{query}", headers=headers) as response:
        assert response.status == 200, await response.text()
        return [orjson.loads(line) for line in (await response.read()).splitlines()]


def ids_in(found: list[dict[str, Any]]) -> list[str]:
    return [line["event"]["id"] for line in found if "event" in line]


async def test_a_download_has_the_events_of_now_and_is_completed_when_it_was_fetched(api: RunningApi) -> None:
    ids = await write(api, 3)
    replay = await make(api, download=True)
    await write(api, 2)
    assert (replay["state"], replay["until"], replay["progress"]) == ("running", 2, 0.0)
    found = await lines(api, replay)
    assert ids_in(found) == ids
    assert found[-1] == {"ended": "complete"}
    shown = await show(api, replay)
    assert (shown["state"], shown["place"], shown["progress"]) == ("completed", 2, 1.0)
    assert (shown["read"], shown["sent"]) == (3, 3)
    assert api.sample("copydesk_replayed_total", target="download") == 3


async def test_a_download_goes_on_behind_an_offset_and_comes_compressed(api: RunningApi) -> None:
    ids = await write(api, 4)
    replay = await make(api, download=True)
    assert ids_in(await lines(api, replay, "?after=1")) == ids[2:]
    async with api.client.get(replay["events"], headers={"Accept-Encoding": "gzip"}, auto_decompress=False) as response:
        assert (response.headers["Content-Encoding"], response.headers["Vary"]) == ("gzip", "Accept-Encoding")
        whole = gzip.decompress(await response.read())
    assert ids_in([orjson.loads(line) for line in whole.splitlines()]) == ids


async def test_patterns_filter_and_offsets_choose_the_events(api: RunningApi) -> None:
    ids = await write(api, 5)
    assert ids_in(await lines(api, await make(api, download=True, after=1, until=3))) == ids[2:4]
    assert ids_in(await lines(api, await make(api, download=True, patterns=["failed.#"]))) == []
    assert ids_in(await lines(api, await make(api, download=True, filter="type = failed"))) == []
    assert ids_in(await lines(api, await make(api, download=True, filter="type = processed"))) == ids


async def test_times_are_found_without_reading_the_whole_log(api: RunningApi) -> None:
    ids = await write(api, 1000, apart=timedelta(minutes=1))
    since, before = "2024-10-19T05:00:00Z", "2024-10-19T07:00:00+01:00"
    replay = await make(api, download=True, per_second=10_000, since=since, before=before)
    assert (replay["after"], replay["until"]) == (289, 369)
    assert ids_in(await lines(api, replay)) == ids[300:360]


async def test_an_empty_log_has_nothing_to_send(api: RunningApi) -> None:
    replay = await make(api, download=True)
    assert await lines(api, replay) == [{"ended": "complete"}]
    assert (await show(api, replay))["state"] == "completed"


async def test_a_replay_can_be_cancelled_and_resumed(api: RunningApi) -> None:
    await write(api, 1)
    replay = await make(api, download=True)
    path = f"/v1/replays/{replay['id']}"
    refused = await problem(await api.client.post(f"{path}/resume"))
    assert refused["type"] == "/problems/replay-not-stopped"
    assert (await (await api.client.post(f"{path}/cancel")).json())["state"] == "cancelled"
    for again in (await api.client.post(f"{path}/cancel"), await api.client.get(f"{path}/events")):
        assert (await problem(again))["type"] == "/problems/replay-not-running"
    assert (await (await api.client.post(f"{path}/resume")).json())["state"] == "running"
    assert len(await lines(api, replay)) == 2


async def test_a_download_under_way_ends_when_it_is_cancelled(api: RunningApi) -> None:
    await write(api, 20)
    replay = await make(api, download=True, per_second=1)
    async with api.client.get(replay["events"]) as response:
        await response.content.readline()
        await api.client.post(f"/v1/replays/{replay['id']}/cancel")
        rest = (await response.content.read()).splitlines()
    assert orjson.loads(rest[-1]) == {"ended": "replay_cancelled"}
    assert len(rest) < 10


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        ({}, [("body", "one_target")]),
        ({"download": True, "queue": "mine"}, [("body", "one_target")]),
        ({"download": True, "filter": "language == en"}, [("filter", "filter")]),
        ({"download": True, "patterns": ["a..b"]}, [("patterns.0", "words")]),
        ({"download": True, "after": 5, "until": 5}, [("until", "empty")]),
        ({"download": True, "since": "2026-11-29T08:00:00Z", "before": "2026-11-29T08:00:00Z"}, [("before", "empty")]),
        ({"download": True, "since": 1732867200}, [("since", "time")]),
        ({"download": True, "since": "2026-11-29T08:00:00"}, [("since", "timezone_aware")]),
        ({"download": True, "per_second": 0}, [("per_second", "greater_than_equal")]),
        ({"download": True, "speed": 1}, [("speed", "unknown_field")]),
        ({"queue": "copydesk.dead"}, [("queue", "reserved")]),
        ({"queue": "none"}, [("queue", "missing")]),
        ({"queue": "own"}, [("queue", "exclusive")]),
        ({"queue": "a Z09-_.:@#,/+"}, [("queue", "missing")]),
        *(({"queue": name}, [("queue", "characters")]) for name in ("gr\u00fc\u00dfe", "mine\n", "a|b", "a*")),
        ({"webhook": "none"}, [("webhook", "missing")]),
        ([], [("body", "wrong_type")]),
    ],
)
async def test_what_breaks_a_rule_is_refused_by_name(
    api: RunningApi, fields: object, faults: list[tuple[str, str]]
) -> None:
    api.broker.subscribed, api.broker.exclusive = {"mine"}, {"own"}
    body = await problem(await api.client.post("/v1/replays", json=fields))
    assert body["type"] == "/problems/invalid-replay"
    assert [(fault["field"], fault["rule"]) for fault in body["errors"]] == faults


async def test_a_broker_without_queues_says_so(api: RunningApi) -> None:
    body = await problem(await api.client.post("/v1/replays", json={"queue": "mine"}))
    assert body["errors"][0]["rule"] == "no_queues"
    api.broker.subscribed = {"mine"}
    assert (await make(api, queue="mine"))["queue"] == "mine"


async def test_an_offset_that_the_log_does_not_have_is_gone(api: RunningApi) -> None:
    await write(api, 3)
    api.broker.first_offset = 7
    for after in (1, 99):
        response = await api.client.post("/v1/replays", json={"download": True, "after": after})
        assert (await problem(response))["type"] == "/problems/position-gone"


async def test_a_webhook_that_is_disabled_or_another_owners_gets_nothing(ledger_api: StartLedgerApi) -> None:
    off, on = webhook("ann", enabled=False), webhook("ann")
    api = await ledger_api(keys=KEYS, operators=frozenset({"ops"}), webhooks=[off, on])
    disabled = await api.client.post("/v1/replays", json={"webhook": off.id}, headers=by("ann"))
    assert (await problem(disabled))["errors"][0]["rule"] == "disabled"
    foreign = await api.client.post("/v1/replays", json={"webhook": on.id}, headers=by("bob"))
    assert (await problem(foreign))["errors"][0]["rule"] == "missing"
    assert (await make(api, by("ann"), webhook=on.id))["documents"] == "own"


async def test_an_owner_sees_its_own_replays_and_its_own_events(ledger_api: StartLedgerApi, records: Records) -> None:
    jobs = [replace(samples.job(), owner=owner) for owner in ("ann", "bob", "ann")]
    records.accept(*jobs)
    for job in jobs:
        records.decide(samples.processed(job))
    records.erase(jobs[2])
    api = await ledger_api(keys=KEYS, operators=frozenset({"ops"}))
    for job in jobs:
        await api.broker.write("processed.en._", encode(samples.processed(job)))
    own, of_all = await make(api, by("ann"), download=True), await make(api, by("ops"), download=True)
    assert [line["event"]["subject"] for line in (await lines(api, own, **by("ann")))[:-1]] == [jobs[0].id]
    assert [line["event"]["subject"] for line in (await lines(api, of_all, **by("ops")))[:-1]] == [
        job.id for job in jobs[:2]
    ]
    for path in (f"/v1/replays/{of_all['id']}", of_all["events"]):
        assert (await api.client.get(path, headers=by("ann"))).status == 404
    listed = await (await api.client.get("/v1/replays", headers=by("ann"))).json()
    assert [it["id"] for it in listed["replays"]] == [own["id"]]
    listed = await (await api.client.get("/v1/replays?limit=1", headers=by("ops"))).json()
    assert ([it["id"] for it in listed["replays"]], listed["next"]) == ([of_all["id"]], of_all["id"])
    listed = await (await api.client.get(f"/v1/replays?cursor={of_all['id']}", headers=by("ops"))).json()
    assert ([it["id"] for it in listed["replays"]], listed["next"]) == ([own["id"]], None)
    for fields in ({"download": True, "documents": "all"}, {"queue": "mine"}):
        response = await api.client.post("/v1/replays", json=fields, headers=by("ann"))
        assert (await problem(response))["type"] == "/problems/insufficient-scope"


async def test_ten_replays_of_an_owner_run_at_most(api: RunningApi) -> None:
    made = [await make(api, download=True) for _ in range(10)]
    body = await problem(await api.client.post("/v1/replays", json={"download": True}))
    assert body["type"] == "/problems/too-many-replays"
    await api.client.post(f"/v1/replays/{made[0]['id']}/cancel")
    await make(api, download=True)


async def test_without_a_ledger_or_a_broker_nothing_is_stored(api: RunningApi, start_api: StartApi) -> None:
    without = await start_api()
    body = await problem(await without.client.post("/v1/replays", json={"download": True}))
    assert body["type"] == "/problems/ledger-not-configured"
    api.broker.refusal = BrokerUnavailable()
    for fields in ({"download": True}, {"queue": "mine"}):
        response = await api.client.post("/v1/replays", json=fields)
        assert (await problem(response))["type"] == "/problems/broker-unavailable"
    assert (await (await api.client.get("/v1/replays")).json())["replays"] == []


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
@pytest.mark.parametrize("name", ["since", "before"])
async def test_a_time_that_is_none_in_utc_is_refused(api: RunningApi, name: str, time: str) -> None:
    async with api.client.post("/v1/replays", json={"download": True, name: time}) as response:
        assert response.status == 422, await response.text()
        assert [(error["field"], error["rule"]) for error in (await response.json())["errors"]] == [(name, "time")]
    async with api.client.get("/v1/replays") as response:
        assert response.status == 200


async def test_the_first_and_the_last_of_all_times_choose_all_events(api: RunningApi) -> None:
    ids = await write(api, 3)
    replay = await make(api, download=True, since="0001-01-01T00:00:00Z", before="9999-12-31T23:59:59Z")
    assert ids_in(await lines(api, replay)) == ids


@pytest.mark.parametrize("after", ["", "x", "-2", "1.5", "\u0661", "9" * 19])
async def test_a_download_behind_no_offset_is_refused(api: RunningApi, after: str) -> None:
    replay = await make(api, download=True)
    async with api.client.get(replay["events"], params={"after": after}) as response:
        assert (response.status, (await problem(response))["errors"][0]["field"]) == (400, "after")
    assert (await show(api, replay))["state"] == "running"


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [("gzip;q=0", None), ("gzip; Q=0.000, br", None), ("GZIP;q=0.5", "gzip"), ("br, x-gzip", "gzip"), ("mygzip", None)],
)
async def test_a_download_is_compressed_for_those_who_take_that(
    api: RunningApi, accepted: str, coding: str | None
) -> None:
    replay = await make(api, download=True)
    async with api.client.get(replay["events"], headers={"Accept-Encoding": accepted}) as response:
        assert response.headers.get("Content-Encoding") == coding
