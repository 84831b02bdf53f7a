"""Servers that take too much time or send too much. Each limit has its reason, and the connection is closed."""

import asyncio
import gzip
import socket
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import replace

import brotli  # type: ignore[import-untyped] # it has no stubs
import pytest
from aiohttp import web

from contract.reasons import Reason
from tests.workers.fetch.sites import LIMITS, answering, failure, fetched, fetcher, raw_site, site
from workers.failures import Failed

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MIB = 1024**2
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
WORDS = b"words of the document"


async def test_size_is_limited_to_the_byte() -> None:
    async with site(answering(b"x" * 1000)) as at:
        assert (await fetched(at.url(), replace(LIMITS, max_body_bytes=1000))).fetched.size == 1000
        assert (await failure(at.url(), replace(LIMITS, max_body_bytes=999))).reason is Reason.TOO_LARGE
        assert (await failure(at.url(), replace(LIMITS, max_transfer_bytes=999))).reason is Reason.TOO_LARGE


async def test_a_declared_length_beyond_the_limit_is_not_waited_for() -> None:
    async with raw_site(HEAD + b"Content-Length: 1000001\r\n\r\nwords", linger=True) as at:
        assert (await failure(at.url)).reason is Reason.TOO_LARGE
        await at.left.wait()


async def endless(writer: asyncio.StreamWriter, piece: bytes = b"%x\r\n%b\r\n" % (len(WORDS), WORDS)) -> None:
    while True:
        writer.write(piece * 1000)
        await writer.drain()


async def test_an_endless_chunked_body_is_cut_off() -> None:
    async with raw_site(CHUNKED, send=endless) as at:
        assert (await failure(at.url)).reason is Reason.TOO_LARGE
        await at.left.wait()


async def test_size_counts_after_decompression() -> None:
    async with site(answering(gzip.compress(b"x" * 1_000_000), Content_Encoding="gzip")) as at:
        assert (await fetched(at.url())).fetched.size == 1_000_000
        failed = await failure(at.url(), replace(LIMITS, max_body_bytes=999_999))
        assert failed.reason is Reason.DECOMPRESSED_TOO_LARGE


async def test_size_counts_before_decompression_too() -> None:
    packed = gzip.compress(b"x" * 100_000)
    async with site(answering(packed, Content_Encoding="gzip")) as at:
        assert (await fetched(at.url(), replace(LIMITS, max_transfer_bytes=len(packed)))).fetched.size == 100_000
        failed = await failure(at.url(), replace(LIMITS, max_transfer_bytes=len(packed) - 1))
        assert failed.reason is Reason.TOO_LARGE


def zlib_bomb(mebibytes: int, wbits: int) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, wbits)
    zeros = bytes(MIB)
    return b"".join([*(packer.compress(zeros) for _ in range(mebibytes)), packer.flush()])


BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "gzip": ("gzip", lambda: zlib_bomb(64, 31)),
    "many gzip members": ("x-gzip", lambda: gzip.compress(bytes(MIB)) * 64),
    "deflate": ("deflate", lambda: zlib_bomb(64, 15)),
    "bare deflate": ("deflate", lambda: zlib_bomb(64, -15)),
    "br": ("br", lambda: brotli.compress(bytes(64 * MIB), quality=1)),
    "zstd": ("zstd", lambda: zstd.compress(bytes(64 * MIB), 1)),
    "many zstd frames": ("zstd", lambda: zstd.compress(bytes(MIB), 1) * 64),
}


@pytest.mark.parametrize("name", BOMBS)
async def test_a_decompression_bomb_is_refused(name: str) -> None:
    coding, make = BOMBS[name]
    bomb = make()
    answer = HEAD + b"Content-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (coding.encode(), len(bomb)) + bomb
    async with raw_site(answer, linger=True) as at:
        tracemalloc.start()
        try:
            failed = await failure(at.url)
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        await at.left.wait()
    assert failed.reason is Reason.DECOMPRESSED_TOO_LARGE
    assert peak_bytes < 16 * MIB


async def test_a_zstd_window_is_bounded() -> None:
    frame = zstd.compress(bytes(MIB) * 20, options={zstd.CompressionParameter.window_log: 27})
    async with site(answering(frame, Content_Encoding="zstd")) as at:
        assert (await failure(at.url(), replace(LIMITS, max_body_bytes=100 * MIB))).reason is Reason.BAD_ENCODING


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(
            HEAD + b"Content-Length: 100\r\n\r\n" + WORDS, Reason.INCOMPLETE_BODY, id="shorter than its length"
        ),
        pytest.param(HEAD + b"Content-Length: 5\r\n\r\n" + WORDS, Reason.BAD_RESPONSE, id="longer than its length"),
        pytest.param(CHUNKED + b"5\r\nwords\r\n", Reason.INCOMPLETE_BODY, id="no last chunk"),
        pytest.param(
            HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(WORDS)[:-9],
            Reason.INCOMPLETE_BODY,
            id="half a gzip",
        ),
        pytest.param(HEAD + b"Content-Encoding: gzip\r\n\r\n" + WORDS, Reason.BAD_ENCODING, id="not gzip"),
        pytest.param(HEAD + b"Content-Encoding: deflate\r\n\r\n" + WORDS, Reason.BAD_ENCODING, id="not deflate"),
        pytest.param(HEAD + b"Content-Encoding: br\r\n\r\n" + WORDS, Reason.BAD_ENCODING, id="not brotli"),
        pytest.param(HEAD + b"Content-Encoding: zstd\r\n\r\n" + WORDS, Reason.BAD_ENCODING, id="not zstd"),
        pytest.param(HEAD + b"Content-Encoding: rot13\r\n\r\n" + WORDS, Reason.BAD_ENCODING, id="unknown coding"),
        pytest.param(HEAD + b"Content-Encoding: gzip, br\r\n\r\n" + WORDS, Reason.BAD_ENCODING, id="two codings"),
        pytest.param(CHUNKED + b"many\r\nwords\r\n", Reason.BAD_RESPONSE, id="no size of a chunk"),
        pytest.param(HEAD + b"Content-Length: many\r\n\r\n" + WORDS, Reason.BAD_RESPONSE, id="no length"),
        pytest.param(
            HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + WORDS, Reason.BAD_RESPONSE, id="two lengths"
        ),
        pytest.param(WORDS + b"\r\n\r\n", Reason.BAD_RESPONSE, id="not HTTP"),
        pytest.param(b"", Reason.CONNECT_ERROR, id="nothing"),
    ],
)
async def test_a_broken_answer(answer: bytes, reason: Reason) -> None:
    async with raw_site(answer) as at:
        assert (await failure(at.url)).reason is reason
        await at.left.wait()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_a_header_that_does_not_end(answer: bytes) -> None:
    async with raw_site(*filter(None, [answer]), linger=True) as at:
        failed = await failure(at.url, replace(LIMITS, first_byte_timeout_s=0.2))
        assert (failed.reason, failed.detail) == (Reason.FIRST_BYTE_TIMEOUT, "no complete header within 0.2 s")
        await at.left.wait()


async def test_a_body_that_falls_silent() -> None:
    async with raw_site(HEAD + b"\r\nwords", linger=True) as at:
        failed = await failure(at.url, replace(LIMITS, idle_timeout_s=0.2))
        assert (failed.reason, failed.detail) == (Reason.IDLE_TIMEOUT, "nothing more came within 0.2 s")
        await at.left.wait()


async def drip(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


async def test_a_body_that_drips() -> None:
    async with raw_site(HEAD + b"\r\n", send=drip) as at:
        failed = await failure(at.url, replace(LIMITS, total_timeout_s=0.3))
        assert (failed.reason, failed.detail) == (Reason.FETCH_TIMEOUT, "the time for all of the fetch is over")
        await at.left.wait()


async def test_a_header_that_drips() -> None:
    async with raw_site(HEAD + b"X-Long: ", send=drip) as at:
        failed = await failure(at.url, replace(LIMITS, first_byte_timeout_s=0.3))
        assert failed.reason is Reason.FIRST_BYTE_TIMEOUT
        await at.left.wait()


async def test_the_time_limit_spans_all_redirects() -> None:
    async def handle(request: web.Request) -> web.Response:
        await asyncio.sleep(0.05)
        return web.Response(status=302, headers={"Location": request.path + "x"})

    async with site(handle) as at:
        failed = await failure(at.url(), replace(LIMITS, total_timeout_s=0.2, max_redirects=1000))
        assert failed.reason is Reason.FETCH_TIMEOUT


async def test_a_connection_that_is_not_taken_up() -> None:
    with socket.socket() as busy, socket.socket() as first:
        busy.bind(("127.0.0.1", 0))
        busy.listen(0)
        first.connect(busy.getsockname())
        url = f"http://127.0.0.1:{busy.getsockname()[1]}/"
        assert (await failure(url, replace(LIMITS, connect_timeout_s=0.2))).reason is Reason.CONNECT_TIMEOUT


async def test_headers_are_limited_to_the_byte() -> None:
    spare = len("Content-Typetext/htmlContent-Length5X-Long")

    def answer(size: int) -> bytes:
        return HEAD + b"Content-Length: 5\r\nX-Long: " + b"x" * (size - spare) + b"\r\n\r\nwords"

    limits = replace(LIMITS, max_header_bytes=1000)
    async with raw_site(answer(1000)) as at:
        assert (await fetched(at.url, limits)).body == b"words"
    async with raw_site(answer(1001)) as at:
        assert (await failure(at.url, limits)).reason is Reason.HEADERS_TOO_LARGE


@pytest.mark.parametrize("piece", [b"x", b"X-Many: of them\r\n"])
async def test_an_endless_header_is_cut_off(piece: bytes) -> None:
    async with raw_site(HEAD + b"X-Long: ", send=lambda writer: endless(writer, piece)) as at:
        assert (await failure(at.url)).reason is Reason.HEADERS_TOO_LARGE
        await at.left.wait()


async def test_a_refusal_by_the_header_closes_the_connection() -> None:
    async with raw_site(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\nwords", linger=True) as at:
        assert (await failure(at.url)).reason is Reason.UNSUPPORTED_MEDIA_TYPE
        await at.left.wait()


async def test_a_connection_is_used_again_after_a_page_but_not_after_a_failure() -> None:
    ports = []

    async def handle(request: web.Request) -> web.Response:
        assert request.transport is not None
        ports.append(request.transport.get_extra_info("peername")[1])
        return web.Response(body=b"x" * (1_000_000 if request.path == "/long" else 10), content_type="text/html")

    async with site(handle) as at, fetcher(replace(LIMITS, max_body_bytes=1000)) as at_once:
        await at_once.fetch(at.url("/1"))
        await at_once.fetch(at.url("/2"))
        with pytest.raises(Failed):
            await at_once.fetch(at.url("/long"))
        await at_once.fetch(at.url("/3"))
    assert ports[0] == ports[1] == ports[2] != ports[3]
