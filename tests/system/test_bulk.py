"""Many documents in one request, over the wire: how many go through, and what the server holds meanwhile."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.system.processes import Process, copydesk, running

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

MANY = 100_000
NEVER = aiohttp.ClientTimeout(sock_read=60)
LINES_AT_ONCE = 500  # that the client gives away together
MAX_GROWTH_BYTES = 64 * 1024 * 1024  # 8 MiB that wait for confirms, as they came and as jobs, and what is being read


def text(number: int) -> bytes:
    return json.dumps({"text": f"The council met on day {number} and decided nothing of note."}).encode() + b"\n"


async def texts(count: int) -> AsyncIterator[bytes]:
    for begin in range(0, count, LINES_AT_ONCE):
        yield b"".join(map(text, range(begin, min(count, begin + LINES_AT_ONCE))))


async def post(api: str, body: AsyncIterator[bytes], key: str) -> AsyncIterator[dict[str, Any]]:
    """Yields the lines of the answer as they come."""
    headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": key}
    async with (
        aiohttp.ClientSession(timeout=NEVER) as http,
        http.post(f"{api}/v1/documents", data=body, headers=headers) as response,
    ):
        assert response.status == 200
        async for line in response.content:
            yield json.loads(line)


def peak_bytes(process: Process) -> int:
    """Returns the most memory that the process has held so far, from proc(5)."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


@pytest.mark.rabbit
async def test_a_hundred_thousand_lines_in_one_request_get_a_receipt_each(amqp_url: str) -> None:
    settings = {"COPYDESK_AMQP_URL": amqp_url, "COPYDESK_INTAKE_DOCUMENTS": str(2 * MANY)}
    with running("serve", "--port", "0", "--ops-port", "0", settings=settings) as serve:
        api = serve.wait_for_urls("api")["api"]
        [first] = [one async for one in post(api, texts(1), "one")]
        before = peak_bytes(serve)
        ids, number = set(), 0
        async for receipt in post(api, texts(MANY), "many"):
            number += 1
            assert (receipt["line"], receipt["status"]) == (number, 202), receipt
            ids.add(receipt["id"])
        assert number == MANY
        assert len(ids | {first["id"]}) == MANY + 1
        assert peak_bytes(serve) - before < MAX_GROWTH_BYTES
        balance = json.loads(copydesk("audit", "--json", settings=settings, timeout_s=120).stdout)
    assert (balance["accepted"], balance["missing"]) == (MANY + 1, 0)


async def test_a_body_of_any_length_is_read_in_the_same_memory(tmp_path: Path) -> None:
    line = b'{"text": "' + b"x" * 1_000_000 + b'", "colour": "none"}\n'  # refused, because of the unknown field
    endless = b'{"text": "' + b"x" * 1_000_000

    async def body(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield line
        for _ in range(count):  # one line of as many MB
            yield endless
        yield b"\n" + text(1)

    with running("up", "--port", "0", "--ops-port", "0", "--data", str(tmp_path)) as up:
        api = up.wait_for_urls("api")["api"]
        assert [one["status"] async for one in post(api, body(1), "short")] == [422, 400, 202]
        before = peak_bytes(up)
        found = Counter([one["status"] async for one in post(api, body(100), "long")])
        assert found == {422: 100, 413: 1, 202: 1}
        assert peak_bytes(up) - before < MAX_GROWTH_BYTES


async def test_a_batch_that_broke_off_is_sent_again_and_only_what_is_missing_is_new(tmp_path: Path) -> None:
    count = 2000

    async def half() -> AsyncIterator[bytes]:
        yield b"".join(map(text, range(count // 2))) + text(count // 2)[:20]
        raise ConnectionError  # as of a client that is killed

    with running("up", "--port", "0", "--ops-port", "0", "--data", str(tmp_path)) as up:
        api = up.wait_for_urls("api")["api"]
        before: dict[int, str] = {}
        with suppress(aiohttp.ClientError):
            async for one in post(api, half(), "batch"):
                before[one["line"]] = one["id"]
        after = {one["line"]: one["id"] async for one in post(api, texts(count), "batch")}
    assert before.items() <= after.items()
    balance = json.loads(copydesk("audit", "--data", str(tmp_path), "--json").stdout)
    assert len(set(after.values())) == balance["accepted"] == count


async def test_a_server_that_is_told_to_stop_finishes_what_it_read(tmp_path: Path) -> None:
    with running("up", "--port", "0", "--ops-port", "0", "--data", str(tmp_path)) as up:
        api = up.wait_for_urls("api")["api"]
        found = []
        async for one in post(api, texts(MANY), "batch"):
            found.append(one)
            if len(found) == 1000:
                up.signal(15)
        assert up.wait() == 0
    *receipts, last = found
    assert [(one["line"], one["status"]) for one in receipts] == [(line + 1, 202) for line in range(len(receipts))]
    assert (last["line"] > len(receipts), last["type"]) == (True, "/problems/stopping")
    balance = json.loads(copydesk("audit", "--data", str(tmp_path), "--json").stdout)
    assert balance["accepted"] == len(receipts) < MANY
