"""Bodies that break every rule, alone and with many documents, while others post good ones to the same server."""

import asyncio
import gzip
import json
import sys
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.system.processes import Process, copydesk, running

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

pytestmark = [pytest.mark.system, pytest.mark.rabbit, pytest.mark.timeout(180)]

SECONDS = 8.0  # of load, after one round in which the server takes the memory that it needs
GOOD_CLIENTS, BAD_CLIENTS = 4, 8
MAX_GROWTH_BYTES = 64 * 1024 * 1024  # chosen: the largest bodies are hundreds of MB, or have no end
SETTINGS = {
    "COPYDESK_BODY_TIMEOUT_S": "12",  # 20 MB come in this time, on a machine that has other things to do
    "COPYDESK_PUBLISH_TIMEOUT_S": "60",  # on such a machine a 503 would be right
}

JSON, TEXT, LINES, FORM = "application/json", "text/plain", "application/x-ndjson", "multipart/form-data; boundary=cut"
GOOD = b'{"text": "The ferry sails again from Monday."}'
MB = b"x" * 1_000_000
PART = b'--cut\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\n'
BOMB = gzip.compress(b'{"text": "' + b" " * 200_000_000)
NOISE = bytes(range(256)) * 40


@dataclass(frozen=True)
class Bad:
    """A body, in pieces, and the statuses that its answer may have: of the request, or of its documents.

    `stalls`: the client sends no more, and waits. `leaves`: it closes the connection. `raw`: the pieces are no chunks.
    """

    media_type: str
    pieces: Iterable[bytes]
    statuses: set[int]
    coding: str = ""
    stalls: bool = False
    leaves: bool = False
    raw: bool = False


BODIES = {
    "oversized": Bad(JSON, [b'{"text": "', *[MB] * 5, b'"}'], {413}),
    "endless": Bad(TEXT, repeat(MB), {413}),
    "bomb": Bad(JSON, [BOMB], {413}, coding="gzip"),
    "truncated": Bad(JSON, [GOOD[:20]], set(), leaves=True),
    "stalled": Bad(JSON, [GOOD[:20]], {408}, stalls=True),
    "truncated gzip": Bad(JSON, [gzip.compress(GOOD)[:-9]], {400}, coding="gzip"),
    "no gzip": Bad(JSON, [GOOD], {400}, coding="gzip"),
    "two codings": Bad(JSON, [zstd.compress(gzip.compress(GOOD))], {400}, coding="zstd"),
    "unknown coding": Bad(JSON, [GOOD], {415}, coding="br"),
    "not UTF-8": Bad(JSON, [b'{"text": "\xff"}'], {400}),
    "wrong type": Bad("image/png", [GOOD], {415}),
    "wrong types": Bad(JSON, [b'{"text": 7, "labels": [], "options": "fast"}'], {422}),
    "deep": Bad(JSON, [b"[" * 100_000], {400}),
    "binary": Bad(TEXT, [NOISE], {422}),
    "no chunk": Bad(JSON, [b"zz\r\n" + GOOD], {400}, raw=True),
    "interleaved": Bad(JSON, [b"10\r\n" + GOOD[:10] + b"POST / HTTP/1.1\r\n\r\n" + GOOD], {400}, raw=True),
    "broken lines": Bad(LINES, [GOOD + b"\n{\n\xff\n[]\n7\n" + GOOD[:9] + b"\n" + GOOD + b"\n"], {202, 400, 422}),
    "long line": Bad(LINES, [b'{"text": "', *[MB] * 12, b'"}\n', GOOD], {413, 202}),
    "endless line": Bad(LINES, [MB] * 20, {413}),
    "bombs": Bad(LINES, [BOMB, gzip.compress(b"\n" + GOOD)], {413, 202}, coding="gzip"),
    "truncated lines": Bad(LINES, [GOOD + b"\n", GOOD[:20]], {202}, leaves=True),
    "stalled lines": Bad(LINES, [GOOD + b"\n", GOOD[:20]], {202, 408}, stalls=True),
    "truncated gzip lines": Bad(LINES, [gzip.compress(GOOD + b"\n" + GOOD)[:-9]], {202, 400}, coding="gzip"),
    "deflate with a tail": Bad(LINES, [zlib.compress(GOOD + b"\n") + b"more"], {202, 400}, coding="deflate"),
    "no chunk of lines": Bad(LINES, [b"zz\r\n" + GOOD], {400}, raw=True),
    "lines in a form": Bad(FORM, [GOOD + b"\n"] * 3, {400}),
    "long part": Bad(FORM, [PART, *[MB] * 12, b"\r\n--cut--\r\n"], {413}),
    "endless part": Bad(FORM, [PART, *[MB] * 20], {400}),
    "endless head": Bad(FORM, [b"--cut\r\nContent-Disposition: ", *[MB] * 20], {400}),
    "no last boundary": Bad(FORM, [PART + b"The ferry.\r\n" + PART + b"The boat."], {202, 400}),
    "binary parts": Bad(FORM, [PART + NOISE + b"\r\n" + PART + b"%PDF-1.7\r\n--cut--\r\n"], {415, 422}),
    "fields": Bad(FORM, [b'--cut\r\nContent-Disposition: form-data; name="text"\r\n\r\na\r\n--cut--\r\n'], {422}),
}


def framed(bad: Bad) -> Iterator[bytes]:
    """Yields the request, its body in chunks. One that goes on has no last chunk."""
    coding = f"Content-Encoding: {bad.coding}\r\n" if bad.coding else ""
    head = f"POST /v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Type: {bad.media_type}\r\n{coding}"
    yield f"{head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode()
    if bad.raw:
        yield from bad.pieces
        return
    end = () if bad.stalls or bad.leaves else (b"",)
    for piece in chain(bad.pieces, end):
        yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"


async def answered(api: str, bad: Bad) -> tuple[int | None, list[dict[str, Any]]]:
    """Returns the status and the lines of the answer, up to where the server or the client closes the connection."""
    target = urlsplit(api)
    reader, writer = await asyncio.open_connection(target.hostname, target.port)

    async def send() -> None:
        with suppress(ConnectionError):
            for piece in framed(bad):
                writer.write(piece)
                await writer.drain()

    sending = asyncio.create_task(send())
    try:
        if bad.leaves:
            await sending
            got = await reader.readuntil(b'"status":202}\n') if 202 in bad.statuses else b""
        else:
            got = await whole(reader)
    finally:
        sending.cancel()
        writer.transport.abort()
    head, _, body = got.partition(b"\r\n\r\n")
    lines = [line for line in body.splitlines() if line.startswith((b'{"line"', b'{"part"'))]
    return int(head.split(b" ", 2)[1]) if head else None, [json.loads(line) for line in lines]


async def whole(reader: asyncio.StreamReader) -> bytes:
    """Returns what comes until the connection ends: a server may cut a client off that sends on after its answer."""
    parts: list[bytes] = []
    with suppress(ConnectionError):
        while part := await reader.read(2**16):
            parts.append(part)
    return b"".join(parts)


async def posted_badly(api: str, name: str, receipts: set[str]) -> None:
    """Posts a bad body, checks what its answer says, and adds the ids of good documents that were in it."""
    bad = BODIES[name]
    status, lines = await answered(api, bad)
    found = {line["status"] for line in lines} if status == 200 else set() if status is None else {status}
    assert found == bad.statuses, (name, status, lines)
    receipts.update(line["id"] for line in lines if line["status"] == 202)


async def good_posts(api: str) -> AsyncIterator[set[str]]:
    """Posts good documents, alone and with others by turns, and yields the ids of each request."""
    async with aiohttp.ClientSession() as http:
        while True:
            async with http.post(f"{api}/v1/documents", data=GOOD, headers={"Content-Type": JSON}) as response:
                assert response.status == 202, await response.text()
                yield {(await response.json())["id"]}
            body = (GOOD + b"\n") * 20
            async with http.post(f"{api}/v1/documents", data=body, headers={"Content-Type": LINES}) as response:
                lines = [json.loads(line) for line in (await response.text()).splitlines()]
                assert [line["status"] for line in lines] == [202] * 20
                yield {line["id"] for line in lines}


async def load(api: str, seconds: float) -> set[str]:
    """Posts good and bad bodies for so long, each bad one at least once. Returns the ids of all receipts.

    Without time no client stalls.
    """
    receipts, loop = set[str](), asyncio.get_running_loop()
    end, over = loop.time() + seconds, asyncio.Event()

    async def well() -> None:
        async for ids in good_posts(api):
            receipts.update(ids)
            if over.is_set():
                break

    async def badly(names: list[str]) -> None:
        while True:
            for name in names:
                await posted_badly(api, name, receipts)
            if loop.time() > end or any(BODIES[name].stalls for name in names):
                break

    stalling = [name for name, bad in BODIES.items() if bad.stalls and seconds]
    others = [name for name, bad in BODIES.items() if not bad.stalls]
    async with asyncio.TaskGroup() as group:
        for _ in range(GOOD_CLIENTS):
            group.create_task(well())
        async with asyncio.TaskGroup() as bad:
            for names in (
                *([name] for name in stalling),
                *(others[begin::BAD_CLIENTS] for begin in range(BAD_CLIENTS)),
            ):
                bad.create_task(badly(names))
        over.set()
    return receipts


def peak_bytes(process: Process) -> int:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


async def metrics(ops: str) -> str:
    async with aiohttp.ClientSession() as http, http.get(f"{ops}/metrics") as response:
        return await response.text()


async def test_bad_bodies_harm_neither_the_server_nor_who_posts_good_ones(amqp_url: str) -> None:
    settings = SETTINGS | {"COPYDESK_AMQP_URL": amqp_url}
    with running("serve", "--port", "0", "--ops-port", "0", settings=settings) as serve:
        urls = serve.wait_for_urls("api", "ops")
        receipts = await load(urls["api"], 0)
        before = peak_bytes(serve)
        receipts |= await load(urls["api"], SECONDS)
        assert peak_bytes(serve) - before < MAX_GROWTH_BYTES
        assert 'status="5' not in await metrics(urls["ops"])
        balance = json.loads(copydesk("audit", "--json", settings=settings, timeout_s=120).stdout)
    assert (balance["accepted"], balance["missing"]) == (len(receipts), 0)
    assert not [entry for entry in serve.log if entry.get("event") == "request_failed"]
