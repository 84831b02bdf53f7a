"""Named consumers: the ledger keeps how far each has come."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse

from runtime.ledger.consumers import SqlConsumerBook
from runtime.ledger.database import ledger_url, open_engine
from service.api.consumers import MAX_CONSUMERS
from service.events import consuming
from service.events.start import Span
from service.events.streams import ServerSentEvents
from tests.service.conftest import LIMITS, RunningApi, StartApi, problem
from tests.service.ledgers import BrokenBook, StartLedgerApi, ledger_api, records
from tests.service.streams import event, follow, lines, next_block, take, until_ended, write

__all__ = ["ledger_api", "records"]

KEY = "processed.en._"
ENDED = {"ended": "complete"}


@pytest.fixture
async def api(ledger_api: StartLedgerApi) -> RunningApi:
    return await ledger_api(recorded=False)


def bearer(owner: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {owner}-secret"}


async def commit(api: RunningApi, offset: object, name: str = "archive", **headers: str) -> ClientResponse:
    return await api.client.post(f"/v1/consumers/{name}/commit", json={"offset": offset}, headers=headers)


async def consumers(api: RunningApi, **headers: str) -> list[dict[str, Any]]:
    response = await api.client.get("/v1/consumers", headers=headers)
    assert response.status == 200
    found: list[dict[str, Any]] = (await response.json())["consumers"]
    return found


async def offsets(api: RunningApi, query: str = "") -> list[int | None]:
    """Returns the offsets of all events up to now that the consumer gets."""
    return [line.get("offset") for line in (await lines(api, f"follow=false&consumer=archive{query}"))[:-1]]


async def test_a_client_without_state_goes_on_behind_what_it_committed(api: RunningApi) -> None:
    await write(api, *[KEY] * 4)
    assert await offsets(api) == [0, 1, 2, 3]
    assert await offsets(api) == [0, 1, 2, 3]  # nothing was committed
    assert (await (await commit(api, 1)).json())["offset"] == 1
    assert await offsets(api) == [2, 3]
    assert await offsets(api, "&after=oldest") == [2, 3]  # where it began
    await commit(api, 3)
    assert await offsets(api) == []
    await write(api, KEY)
    assert await offsets(api) == [4]


async def test_a_whole_number_may_have_a_point(api: RunningApi) -> None:
    await offsets(api)
    assert (await (await api.post(b'{"offset": 7.0}', path="/v1/consumers/archive/commit")).json())["offset"] == 7


async def test_an_older_commit_that_comes_late_changes_nothing(api: RunningApi) -> None:
    await write(api, *[KEY] * 4)
    await offsets(api)
    await commit(api, 2)
    late = await commit(api, 0)
    assert (late.status, (await late.json())["offset"]) == (200, 2)
    assert await offsets(api) == [3]


async def test_a_new_consumer_misses_nothing_that_is_written_after_it_was_made(api: RunningApi) -> None:
    await write(api, KEY)
    async with await follow(api, "/v1/events?consumer=archive"):
        pass
    await write(api, KEY, KEY)
    async with await follow(api, "/v1/events?consumer=archive") as stream:
        assert await take(stream, 2) == [event(1), event(2)]


async def test_a_new_consumer_begins_where_it_says(api: RunningApi) -> None:
    await write(api, *[KEY] * 4)
    assert await offsets(api, "&last=2") == [2, 3]
    assert [one["offset"] for one in await consumers(api)] == [1]


async def test_it_has_the_filter_of_each_connection(api: RunningApi) -> None:
    await write(api, *[KEY] * 2, "failed.gone._")
    assert await offsets(api, "&pattern=failed.%23") == [2]
    assert await offsets(api) == [0, 1, 2]


async def test_an_event_source_that_reconnects_continues_where_it_was(api: RunningApi) -> None:
    await write(api, *[KEY] * 4)
    await offsets(api)
    async with await follow(api, "/v1/events?consumer=archive", **{"Last-Event-ID": "2"}) as stream:
        assert await next_block(stream) == event(3)


async def test_a_second_connection_ends_the_first(api: RunningApi) -> None:
    first = await follow(api, "/v1/events?consumer=archive")
    async with await follow(api, "/v1/events?consumer=archive") as second:
        assert await first.content.read() == b": ended: superseded\n\n"
        await write(api, KEY)
        assert await next_block(second) == event(0)
    await until_ended(api, "superseded")


async def test_of_two_connections_that_come_together_the_one_that_took_the_consumer_last_reads(
    api: RunningApi, tmp_path: Path
) -> None:
    await offsets(api)
    engine = open_engine(ledger_url(f"sqlite:///{tmp_path / 'ledger.db'}"))
    book, together = SqlConsumerBook(engine), consuming.Consuming()
    held = [consuming.Hold(book, "anonymous", "archive", holder, Span(after=0)) for holder in ("first", "second")]
    streams = [ServerSentEvents(LIMITS), ServerSentEvents(LIMITS)]
    for one in held:
        assert await together.take(book, one.owner, one.name, one.holder)
    with together.hold(held[1], streams[1]), together.hold(held[0], streams[0]):
        assert await book.holder("anonymous", "archive") == "second"
        assert streams[0].ended.result() == "superseded"
        assert not streams[1].ended.done()
    await engine.dispose()


async def test_a_connection_at_another_server_ends_the_first(
    ledger_api: StartLedgerApi, api: RunningApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "_LOOK_EVERY_S", 0.02)
    other = await ledger_api(recorded=False)
    first = await follow(api, "/v1/events?consumer=archive")
    async with await follow(other, "/v1/events?consumer=archive"), asyncio.timeout(60):
        assert await first.content.read() == b": ended: superseded\n\n"


async def test_a_removed_consumer_ends_its_connection_and_begins_anew(
    api: RunningApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "_LOOK_EVERY_S", 0.02)
    await write(api, KEY)
    async with await follow(api, "/v1/events?consumer=archive") as stream, asyncio.timeout(60):
        assert (await api.client.delete("/v1/consumers/archive")).status == 204
        assert await stream.content.read() == b": ended: consumer_gone\n\n"
    assert await consumers(api) == []
    assert await offsets(api) == [0]


async def test_consumers_are_listed_with_their_times(api: RunningApi) -> None:
    await write(api, KEY)
    await offsets(api)
    await lines(api, "follow=false&consumer=b&last=0")
    await commit(api, 0)
    first, second = await consumers(api)
    assert (first["name"], first["offset"]) == ("archive", 0)
    assert first["committed_at"] == first["created_at"] == "2024-10-19T08:30:00.000Z"
    assert (second["name"], second["offset"], second["committed_at"]) == ("b", 0, None)


async def test_an_owner_has_its_own(ledger_api: StartLedgerApi) -> None:
    keys, operators = ("ann:ann-secret", "bob:bob-secret"), frozenset({"ann", "bob"})
    api = await ledger_api(recorded=False, keys=keys, operators=operators)
    (await api.client.get("/v1/events?follow=false&consumer=archive", headers=bearer("ann"))).close()
    assert [one["name"] for one in await consumers(api, **bearer("ann"))] == ["archive"]
    assert await consumers(api, **bearer("bob")) == []
    assert (await commit(api, 1, **bearer("bob"))).status == 404
    assert (await api.client.delete("/v1/consumers/archive", headers=bearer("bob"))).status == 404
    assert (await commit(api, 1, **bearer("ann"))).status == 200


@pytest.mark.parametrize(
    ("body", "status", "field", "rule"),
    [
        (b"offset", 400, None, None),
        (b"[1]", 422, "body", "dataclass_type"),
        (b"{}", 422, "offset", "missing"),
        (b'{"offset": "7"}', 422, "offset", "int_type"),
        (b'{"offset": true}', 422, "offset", "int_type"),
        (b'{"offset": 1.5}', 422, "offset", "int_type"),
        (b'{"offset": -1}', 422, "offset", "greater_than_equal"),
        (b'{"offset": 1000000000000000000}', 422, "offset", "less_than"),
        (b'{"offset": 1, "place": 2}', 422, "place", "unexpected_keyword_argument"),
    ],
)
async def test_a_commit_that_is_none_is_refused(
    api: RunningApi, body: bytes, status: int, field: str | None, rule: str | None
) -> None:
    await offsets(api)
    answer = await problem(await api.post(body, path="/v1/consumers/archive/commit"))
    assert answer["status"] == status
    assert [(fault["field"], fault["rule"]) for fault in answer.get("errors", [])] == ([(field, rule)] if rule else [])


async def test_names_are_checked_and_unknown_ones_not_found(api: RunningApi) -> None:
    for name in ("a%20b", "", "x" * 65, "%C3%A9"):
        answer = await problem(await api.client.get(f"/v1/events?consumer={name}"))
        assert [(fault["field"], fault["rule"]) for fault in answer["errors"]] == [("consumer", "name")]
    for name in ("nobody", "%00", "é"):
        assert (await commit(api, 1, name)).status == 404
        assert (await api.client.delete(f"/v1/consumers/{name}")).status == 404


async def test_there_are_so_many_at_most(api: RunningApi) -> None:
    for number in range(MAX_CONSUMERS):
        (await api.client.get(f"/v1/events?follow=false&consumer=c{number}")).close()
    answer = await problem(await api.client.get("/v1/events?consumer=one-more"))
    assert (answer["status"], answer["type"]) == (409, "/problems/too-many-consumers")
    assert await lines(api, "follow=false&consumer=c7") == [ENDED]


async def test_an_offset_that_the_log_never_had_or_dropped_is_410(api: RunningApi) -> None:
    await write(api, KEY)
    await offsets(api)
    await commit(api, 5)
    answer = await problem(await api.client.get("/v1/events?consumer=archive"))
    assert (answer["status"], answer["type"]) == (410, "/problems/position-gone")
    await write(api, *[KEY] * 10)
    api.broker.first_offset = 100
    assert (await problem(await api.client.get("/v1/events?consumer=archive")))["status"] == 410


async def test_without_a_ledger_there_are_none(start_api: StartApi) -> None:
    api = await start_api()
    for method, path in (("GET", "/v1/events?consumer=a"), ("GET", "/v1/consumers"), ("DELETE", "/v1/consumers/a")):
        answer = await problem(await api.client.request(method, path))
        assert (answer["status"], answer["type"]) == (503, "/problems/ledger-not-configured")


async def test_while_the_ledger_is_away_a_stream_goes_on_and_none_begins(
    start_api: StartApi, api: RunningApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "_LOOK_EVERY_S", 0.02)
    broken = await start_api(consumers=BrokenBook())
    response = await broken.client.get("/v1/events?consumer=archive")
    assert (await problem(response))["type"] == "/problems/ledger-unavailable"
    assert response.headers["Retry-After"]
    async with await follow(api, "/v1/events?consumer=archive") as stream:
        looked = asyncio.Event()

        async def holder(*_: object) -> None:
            looked.set()
            await BrokenBook().holder()

        monkeypatch.setattr("runtime.ledger.consumers.SqlConsumerBook.holder", holder)
        await asyncio.wait_for(looked.wait(), 5)
        await write(api, KEY)
        assert json.loads((await next_block(stream))["data"]) == {"n": 0}
