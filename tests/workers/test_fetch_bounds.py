import asyncio
import gzip
import socket
import ssl
import subprocess
import tracemalloc
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from contract.reasons import Reason
from tests.workers.sites import LIMITS, answering, failure, fetched, raw_site, site


async def test_size_is_limited_to_the_byte() -> None:
    async with site(answering(b"x" * 1000)) as at:
        assert (await fetched(at.url(), replace(LIMITS, max_body_bytes=1000))).fetched.size == 1000
        assert (await failure(at.url(), replace(LIMITS, max_body_bytes=999))).reason is Reason.TOO_LARGE


async def test_an_endless_body_is_cut_off() -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/html"})
        await response.prepare(request)
        while True:
            await response.write(b"words of the document" * 1000)

    async with site(handle) as at:
        assert (await failure(at.url())).reason is Reason.TOO_LARGE


async def test_size_counts_after_decompression() -> None:
    async with site(answering(gzip.compress(b"x" * 1_000_000), Content_Encoding="gzip")) as at:
        assert (await fetched(at.url())).fetched.size == 1_000_000
        assert (await failure(at.url(), replace(LIMITS, max_body_bytes=999_999))).reason is Reason.TOO_LARGE


def gzip_bomb(mebibytes: int) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    zeros = bytes(1024**2)
    return b"".join([*(packer.compress(zeros) for _ in range(mebibytes)), packer.flush()])


async def test_a_gzip_bomb_does_not_go_off() -> None:
    bomb = gzip_bomb(64)
    async with site(answering(bomb, Content_Encoding="gzip")) as at:
        tracemalloc.start()
        try:
            failed = await failure(at.url(), replace(LIMITS, max_body_bytes=2 * len(bomb)))
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert failed.reason is Reason.TOO_LARGE
        assert peak_bytes < 16 * 1024**2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100\r\n\r\nwords of the document",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nwords of the document",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwords\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\nwords of the document",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: many\r\n\r\nwords of the document",
        b"words of the document\r\n\r\n",
        b"",
    ],
)
async def test_a_broken_answer_is_an_error_of_the_connection(answer: bytes) -> None:
    async with raw_site(answer) as url:
        assert (await failure(url)).reason is Reason.CONNECT_ERROR


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nwords"]
)
async def test_a_slow_server_runs_out_of_time(answer: bytes) -> None:
    async with raw_site(*filter(None, [answer]), linger=True) as url:
        failed = await failure(url, replace(LIMITS, total_timeout_s=0.2))
        assert (failed.reason, failed.detail) == (Reason.FETCH_TIMEOUT, "not fetched within 0.2 s")


async def test_the_time_limit_spans_all_redirects() -> None:
    async def handle(request: web.Request) -> web.Response:
        await asyncio.sleep(0.05)
        return web.Response(status=302, headers={"Location": request.path + "x"})

    async with site(handle) as at:
        failed = await failure(at.url(), replace(LIMITS, total_timeout_s=0.2, max_redirects=1000))
        assert failed.reason is Reason.FETCH_TIMEOUT


async def test_a_connection_that_is_not_taken_up_runs_out_of_time() -> None:
    with socket.socket() as busy, socket.socket() as first:
        busy.bind(("127.0.0.1", 0))
        busy.listen(0)
        first.connect(busy.getsockname())
        url = f"http://127.0.0.1:{busy.getsockname()[1]}/"
        failed = await failure(url, replace(LIMITS, connect_timeout_s=0.2))
        assert (failed.reason, failed.detail) == (Reason.FETCH_TIMEOUT, "no connection within 0.2 s")


@pytest.fixture
def self_signed(tmp_path: Path) -> ssl.SSLContext:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subprocess.run(
        [*request, "-subj", "/CN=localhost", "-keyout", key, "-out", certificate], check=True, capture_output=True
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


async def test_a_certificate_that_nobody_vouches_for(self_signed: ssl.SSLContext) -> None:
    async with site(answering(), tls=self_signed) as at:
        failed = await failure(at.url().replace("http:", "https:"))
        assert failed.reason is Reason.TLS_ERROR
        assert not at.requests


async def test_tls_where_there_is_none() -> None:
    async with site(answering()) as at:
        assert (await failure(at.url().replace("http:", "https:"))).reason is Reason.TLS_ERROR
