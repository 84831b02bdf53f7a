import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from contract.broker import BrokerUnavailable
from tests.service.conftest import RunningApi, StartApi, problem
from tests.service.streams import event, follow, next_block, take, until_ended, write


async def test_stream_starts_with_the_next_event(api: RunningApi) -> None:
    await write(api, "processed.en._")
    async with await follow(api) as stream:
        await write(api, "processed.en._", "failed.not_found._")
        assert await take(stream, 2) == [event(1), event(2)]


@pytest.mark.parametrize("start", ["-1", "oldest"])
async def test_replay_from_the_oldest(api: RunningApi, start: str) -> None:
    await write(api, *["processed.en._"] * 3)
    async with await follow(api, f"/v1/events?after={start}") as stream:
        assert await take(stream, 3) == [event(0), event(1), event(2)]


@pytest.mark.parametrize(("last", "offsets"), [(0, []), (2, [6, 7]), (5, [3, 4, 5, 6, 7]), (99, [3, 4, 5, 6, 7])])
async def test_begin_with_the_last_ones(api: RunningApi, last: int, offsets: list[int]) -> None:
    api.broker.first_offset = 3
    await write(api, *["processed.en._"] * 5)
    async with await follow(api, f"/v1/events?last={last}") as stream:
        await write(api, "processed.en._")
        assert await take(stream, len(offsets) + 1) == [event(offset) for offset in [*offsets, 8]]


async def test_begin_with_the_last_ones_of_an_empty_log(api: RunningApi) -> None:
    async with await follow(api, "/v1/events?last=10") as stream:
        await write(api, "processed.en._")
        assert await take(stream, 1) == [event(0)]


async def test_a_reconnecting_client_continues(api: RunningApi) -> None:
    await write(api, *["processed.en._"] * 4)
    async with await follow(api, "/v1/events?last=3", **{"Last-Event-ID": "2"}) as stream:
        assert await take(stream, 1) == [event(3)]


async def test_resume_without_gap_or_repeat(api: RunningApi) -> None:
    seen = []
    headers: dict[str, str] = {}
    for _ in range(5):
        await write(api, *["processed.en._"] * 2)
        async with await follow(api, "/v1/events?after=-1", **headers) as stream:
            seen += await take(stream, 2)
        headers = {"Last-Event-ID": seen[-1]["id"]}
    assert seen == [event(offset) for offset in range(10)]


async def test_patterns_choose_events(api: RunningApi) -> None:
    await write(api, "processed.en.com.example.www", "processed.de.org.example", "failed.gone._", "failed.dns_error._")
    async with await follow(api, "/v1/events?after=-1&pattern=processed.en.%23&pattern=failed.dns_error.*") as stream:
        assert await take(stream, 2) == [event(0), event(3)]


async def test_bytes_arrive_as_they_stand_in_the_log(api: RunningApi) -> None:
    body = '{"text":"Grüße\\n\\nline two","more":" x"}'.encode()
    await api.broker.write("processed.de._", body)
    async with await follow(api, "/v1/events?after=-1") as stream:
        block = await stream.content.readuntil(b"\n\n")
    assert block == b"id: 0\ndata: " + body + b"\n\n"


async def test_heartbeats(start_api: StartApi) -> None:
    api = await start_api(limits={"heartbeat_s": 0.02})
    async with await follow(api) as stream:
        assert [set(block) for block in await take(stream, 2)] == [{""}, {""}]


@pytest.mark.parametrize(
    ("query", "header", "field", "rule"),
    [
        ("after=x", None, "after", "offset"),
        ("after=-2", None, "after", "offset"),
        ("after=1&after=2", None, "after", "repeated"),
        ("after=9999999999999999999", None, "after", "offset"),
        ("last=x", None, "last", "count"),
        ("last=-1", None, "last", "count"),
        ("last=1&after=1", None, "last", "exclusive"),
        ("after=1", "abc", "Last-Event-ID", "offset"),
        ("pattern=", None, "pattern", "words"),
        ("pattern=a..b", None, "pattern", "words"),
        ("pattern=proc*", None, "pattern", "wildcard"),
        ("pattern=%23.a.%23.b.%23.c.%23", None, "pattern", "too_many_hashes"),
        ("&".join(["pattern=a"] * 17), None, "pattern", "too_many"),
        ("since=1", None, "since", "unknown_parameter"),
        ("filter=", None, "filter", "filter"),
        ("filter=has+title&filter=has+url", None, "filter", "repeated"),
        ("format=csv", None, "format", "format"),
        ("follow=no", None, "follow", "boolean"),
        ("until=-1", None, "until", "offset"),
        ("until=oldest", None, "until", "offset"),
    ],
)
async def test_refusals(api: RunningApi, query: str, header: str | None, field: str, rule: str) -> None:
    headers = {"Last-Event-ID": header} if header else {}
    answer = await problem(await api.client.get(f"/v1/events?{query}", headers=headers))
    assert (answer["status"], answer["type"]) == (400, "/problems/invalid-parameter")
    assert [(error["field"], error["rule"]) for error in answer["errors"]] == [(field, rule)]


async def test_position_that_the_log_dropped_is_410(api: RunningApi) -> None:
    api.broker.first_offset = 100
    await write(api, "processed.en._")
    answer = await problem(await api.client.get("/v1/events", headers={"Last-Event-ID": "7"}))
    assert (answer["status"], answer["type"]) == (410, "/problems/position-gone")


async def test_broker_away_is_503(api: RunningApi) -> None:
    api.broker.refusal = BrokerUnavailable("amqp://user:hunter2@broker")
    response = await api.client.get("/v1/events")
    assert (await problem(response))["type"] == "/problems/broker-unavailable"
    assert response.headers["Retry-After"] == "5"
    assert "hunter2" not in await response.text()


async def test_refusal_that_takes_a_moment_is_503_too(start_api: StartApi) -> None:
    api = await start_api(limits={"open_wait_s": 5.0})
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(api.client.get("/v1/events"))
        await api.broker.until_readers(1)
        for _ in range(10):
            await asyncio.sleep(0)  # headers would go out now, were they not held back
        await api.broker.lose(BrokerUnavailable())
    assert (await problem(asked.result()))["type"] == "/problems/broker-unavailable"


async def test_stream_ends_when_the_broker_is_lost(api: RunningApi) -> None:
    async with await follow(api) as stream:
        await write(api, "processed.en._")
        assert await next_block(stream) == event(0)
        await api.broker.lose(BrokerUnavailable())
        assert await stream.content.read() == b": ended: broker_lost\n\n"
    await api.broker.until_readers(0)


async def test_client_that_leaves_ends_its_reader(start_api: StartApi) -> None:
    api = await start_api(limits={"heartbeat_s": 0.02})
    stream = await follow(api)
    assert (api.broker.readers, api.sample("copydesk_event_streams")) == (1, 1)
    stream.close()
    async with asyncio.timeout(60):
        await api.broker.until_readers(0)
    assert api.sample("copydesk_event_streams") == 0
    await until_ended(api, "client_left")


async def fill(api: RunningApi) -> None:
    """Writes more than the socket buffers between server and client hold."""
    for _ in range(400):
        await api.broker.write("processed.en._", b'{"x":"' + b"a" * 100_000 + b'"}')


@contextmanager
def client_that_does_not_read(api: RunningApi) -> Iterator[socket.socket]:
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect((api.client.host, api.client.port))
        client.sendall(b"GET /v1/events?after=-1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        yield client


async def until_stuck(api: RunningApi) -> None:
    """Returns when the reader has not moved for a while: nothing signals that it waits for the socket."""
    seen = -1
    while seen < 0 or seen != api.broker.read_offset:
        seen = api.broker.read_offset
        await asyncio.sleep(0.2)


async def test_slow_client_holds_the_reader_back_and_is_cut(start_api: StartApi) -> None:
    api = await start_api(limits={"send_timeout_s": 0.5})
    await fill(api)
    with client_that_does_not_read(api):
        await api.broker.until_readers(1)
        async with asyncio.timeout(60):
            await api.broker.until_readers(0)
    assert 0 <= api.broker.read_offset < 200  # what fits into socket buffers
    await until_ended(api, "slow_reader")


async def test_a_slow_client_that_reads_on_finds_the_reason(start_api: StartApi) -> None:
    api = await start_api(limits={"send_timeout_s": 2.0})  # the client has as long to read on
    await fill(api)
    with client_that_does_not_read(api) as client:
        await until_ended(api, "slow_reader")
        client.setblocking(False)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**22)  # now it reads fast
        received = b""
        async with asyncio.timeout(60):
            while not received.endswith(b"\r\n0\r\n\r\n"):
                received += await asyncio.get_running_loop().sock_recv(client, 2**20)
    assert received.endswith(b": ended: slow_reader\n\n\r\n0\r\n\r\n")


async def test_shutdown_ends_streams_promptly(api: RunningApi) -> None:
    async with await follow(api) as stream:
        async with asyncio.timeout(10):
            await api.client.server.close()
        assert await stream.content.read() == b": ended: stopping\n\n"
    assert api.broker.readers == 0


async def test_shutdown_cuts_a_client_that_does_not_read(api: RunningApi) -> None:
    await fill(api)
    with client_that_does_not_read(api):
        await until_stuck(api)
        async with asyncio.timeout(10):
            await api.client.server.close()
    assert api.broker.readers == 0
