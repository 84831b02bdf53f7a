"""Streams of events with a filter, as lines of JSON, with an end."""

import json
from typing import Any

import orjson
import pytest

from contract.broker import BrokerUnavailable, LogEntry
from contract.filters import Filter
from service.events import stream_filter
from service.events.stream_filter import DecodedEvents, StreamFilter
from tests.service.conftest import RunningApi, StartApi, problem
from tests.service.streams import event, follow, lines, next_block, take

ENDED = {"ended": "complete"}


async def publish(api: RunningApi, *languages: str) -> list[dict[str, Any]]:
    """Writes an event in each language, and returns them."""
    events = [{"type": "copydesk.document.processed.v1", "data": {"language": language}} for language in languages]
    for one in events:
        await api.broker.write(f"processed.{one['data']['language']}._", json.dumps(one).encode())  # type: ignore[index]
    return events


async def test_a_filter_chooses_events(api: RunningApi) -> None:
    await publish(api, "en", "de", "en", "fr")
    async with await follow(api, "/v1/events?after=oldest&filter=not+language+%3D+en") as stream:
        assert [block["id"] for block in await take(stream, 2)] == ["1", "3"]
        await publish(api, "en", "it")
        assert (await next_block(stream))["id"] == "5"


async def test_patterns_and_filter_must_both_match(api: RunningApi) -> None:
    await publish(api, "en", "de", "fr")
    found = await lines(api, "follow=false&pattern=processed.de.%23&pattern=processed.en.%23&filter=language+!%3D+en")
    assert [line.get("offset") for line in found] == [1, None]


async def test_a_wrong_filter_is_refused_at_its_place(api: RunningApi) -> None:
    answer = await problem(await api.client.get("/v1/events", params={"filter": "kind = text and colour = red"}))
    (fault,) = answer["errors"]
    assert (fault["field"], fault["rule"], fault["position"]) == ("filter", "filter", 17)
    assert answer["detail"].startswith("filter, character 17: fields are type, ")
    assert "colour" not in json.dumps(answer)


async def test_other_faults_have_no_position(api: RunningApi) -> None:
    answer = await problem(await api.client.get("/v1/events?after=x"))
    assert set(answer["errors"][0]) == {"field", "rule", "message"}


async def test_a_filter_reads_what_is_no_event_as_one_without_fields(api: RunningApi) -> None:
    for body in (b"no JSON", b"[1]", b"\xff"):
        await api.broker.write("processed.en._", body)
    assert await lines(api, "follow=false&filter=has+language") == [ENDED]


async def test_lines_have_the_events_with_their_offsets(api: RunningApi) -> None:
    events = await publish(api, "en", "de")
    expected = [{"offset": offset, "event": one} for offset, one in enumerate(events)]
    assert await lines(api, "follow=false") == [*expected, ENDED]


async def test_a_line_holds_the_bytes_of_the_log(api: RunningApi) -> None:
    body = '{"text":"Grüße\\n\\nline two","more":" x"}'.encode()
    await api.broker.write("processed.de._", body)
    response = await api.client.get("/v1/events?follow=false&format=ndjson")
    assert await response.read() == b'{"offset":0,"event":' + body + b'}\n{"ended":"complete"}\n'


async def test_an_event_with_line_feeds_is_one_line(api: RunningApi) -> None:
    await api.broker.write("processed.de._", b'{\r\n"n":\n0}')
    assert await lines(api, "follow=false") == [{"offset": 0, "event": {"n": 0}}, ENDED]
    async with await follow(api, "/v1/events?after=oldest") as stream:
        assert await stream.content.readuntil(b"\n\n") == b'id: 0\ndata: {\ndata: "n":\ndata: 0}\n\n'


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/x-ndjson", "application/x-ndjson"),
        ("text/event-stream", "text/event-stream"),
        ("*/*", "text/event-stream"),
        ("text/event-stream;q=0.5, application/x-ndjson", "application/x-ndjson"),
    ],
)
async def test_accept_chooses_the_form(api: RunningApi, accept: str, media_type: str) -> None:
    async with api.client.get("/v1/events?follow=false", headers={"Accept": accept}) as response:
        assert (response.status, response.content_type) == (200, media_type)


async def test_another_form_is_not_acceptable(api: RunningApi) -> None:
    answer = await problem(await api.client.get("/v1/events", headers={"Accept": "text/csv"}))
    assert (answer["status"], answer["type"]) == (406, "/problems/not-acceptable")


@pytest.mark.parametrize(
    ("query", "offsets"), [("", [0, 1, 2]), ("&after=0", [1, 2]), ("&last=1", [2]), ("&after=2", []), ("&last=0", [])]
)
async def test_without_follow_a_stream_ends_with_the_newest_event(
    api: RunningApi, query: str, offsets: list[int]
) -> None:
    await publish(api, "en", "de", "fr")
    found = await lines(api, f"follow=false{query}")
    assert [line.get("offset") for line in found] == [*offsets, None]
    assert found[-1] == ENDED
    assert api.sample("copydesk_event_streams_ended_total", reason="complete") == 1


@pytest.mark.parametrize(
    ("query", "offsets"),
    [
        ("until=1", [0, 1]),
        ("after=0&until=1", [1]),
        ("last=2&until=1", [1]),
        ("after=1&until=1", []),
        ("follow=false&until=99", [0, 1, 2]),
        ("follow=false&until=1", [0, 1]),
    ],
)
async def test_a_stream_ends_at_the_offset_until(api: RunningApi, query: str, offsets: list[int]) -> None:
    await publish(api, "en", "de", "fr")
    assert [line.get("offset") for line in await lines(api, query)] == [*offsets, None]


async def test_an_end_that_is_still_to_come_is_waited_for(api: RunningApi) -> None:
    await publish(api, "en")
    async with api.client.get("/v1/events?format=ndjson&until=1") as stream:
        assert json.loads(await stream.content.readline())["offset"] == 0
        await publish(api, "de", "fr")
        assert json.loads(await stream.content.readline())["offset"] == 1
        assert json.loads(await stream.content.read()) == ENDED


async def test_an_end_that_the_log_has_removed_is_the_end(api: RunningApi) -> None:
    api.broker.first_offset = 100
    await publish(api, "en")
    assert await lines(api, "until=50") == [ENDED]


async def test_an_empty_log_has_an_end(api: RunningApi) -> None:
    assert await lines(api, "follow=false") == [ENDED]


async def test_the_end_comes_although_the_newest_event_is_not_wanted(api: RunningApi) -> None:
    await publish(api, "en", "de")
    assert [line.get("offset") for line in await lines(api, "follow=false&filter=language+%3D+en")] == [0, None]


async def test_server_sent_events_have_an_end_too(api: RunningApi) -> None:
    await api.broker.write("processed.en._", b'{"n":0}')
    async with await follow(api, "/v1/events?follow=false") as stream:
        assert await next_block(stream) == event(0)
        assert await stream.content.read() == b": ended: complete\n\n"


async def test_heartbeats_of_lines_say_how_far_the_log_is_read(start_api: StartApi) -> None:
    api = await start_api(limits={"heartbeat_s": 0.02})
    async with api.client.get("/v1/events?format=ndjson&filter=language+%3D+en") as stream:
        assert json.loads(await stream.content.readline()) == {"offset": None}
        await publish(api, "de", "de")
        while (line := json.loads(await stream.content.readline())) == {"offset": None}:
            pass
        assert line in ({"offset": 0}, {"offset": 1})


async def test_the_last_line_says_that_the_broker_was_lost(api: RunningApi) -> None:
    await publish(api, "en")
    async with api.client.get("/v1/events?format=ndjson&after=oldest") as stream:
        assert json.loads(await stream.content.readline())["offset"] == 0
        await api.broker.lose(BrokerUnavailable())
        assert json.loads(await stream.content.read()) == {"ended": "broker_lost"}
    assert api.sample("copydesk_event_streams_ended_total", reason="broker_lost") == 1


def test_an_event_is_decoded_once_for_all_streams_and_only_for_a_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[bytes] = []

    def loads(body: bytes) -> object:
        decoded.append(body)
        return orjson.loads(body)

    monkeypatch.setattr(stream_filter, "decoded", loads)
    shared = DecodedEvents()
    entry, other = LogEntry(0, "processed.en._", b"{}"), LogEntry(0, "processed.en._", b'{"n":1}')
    assert StreamFilter(shared, ("processed.#",)).wants(entry)
    assert not StreamFilter(shared, ("failed.#",), Filter.parse("has title")).wants(entry)
    assert decoded == []
    for text in ("has title", "has url", "not has url"):
        StreamFilter(shared, filter=Filter.parse(text)).wants(entry)
    assert decoded == [b"{}"]
    assert shared.of(other) == {"n": 1}  # a log that was made anew counts from the start again


def test_few_decoded_events_are_kept_and_no_large_ones() -> None:
    shared = DecodedEvents()
    for offset in range(200):
        shared.of(LogEntry(offset, "processed.en._", b"{}"))
    shared.of(LogEntry(200, "processed.en._", b'{"x":"' + b"a" * 300_000 + b'"}'))
    assert sorted(shared._kept) == list(range(136, 200))
