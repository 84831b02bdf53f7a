"""Certificates and proxies: even with a proxy, names are resolved and checked here."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from yarl import URL

from contract.reasons import Reason
from tests.workers.fetch.names import name_server
from tests.workers.fetch.sites import LOOPBACK, answering, failure, fetched, site
from workers.fetch import Reach


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


def serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


def secure(url: str) -> str:
    return url.replace("http:", "https:")


async def test_a_certificate_of_a_known_authority(authority: trustme.CA, ca_file: Path) -> None:
    async with site(answering(), tls=serving(authority.issue_cert("127.0.0.1"))) as at:
        assert (await fetched(secure(at.url()), reach=replace(LOOPBACK, ca_file=ca_file))).fetched.status == 200


async def test_certificates_that_do_not_hold(authority: trustme.CA, ca_file: Path) -> None:
    old = datetime.now(UTC) - timedelta(days=1)
    trusted = replace(LOOPBACK, ca_file=ca_file)
    for certificate, reach, fault in (
        (authority.issue_cert("127.0.0.1"), LOOPBACK, "the authority of the certificate is not known here"),
        (authority.issue_cert("other.example"), trusted, "the certificate is of another address"),
        (authority.issue_cert("127.0.0.1", not_after=old), trusted, "the certificate has expired"),
    ):
        async with site(answering(), tls=serving(certificate)) as at:
            failed = await failure(secure(at.url()), reach=reach)
            assert (failed.reason, failed.detail) == (Reason.CERTIFICATE_ERROR, f"127.0.0.1: {fault}")
            assert failed.reason.failure_class == "permanent"
            assert not at.requests


async def test_tls_where_there_is_none() -> None:
    async with site(answering()) as at:
        failed = await failure(secure(at.url()))
        assert (failed.reason, failed.detail) == (Reason.TLS_ERROR, "127.0.0.1: no TLS connection can be agreed on")


@asynccontextmanager
async def proxy(to: int) -> AsyncIterator[tuple[URL, list[list[str]]]]:
    """An HTTP proxy that records its requests, and connects all of them to port `to` on loopback."""
    asked: list[list[str]] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.decode().split("\r\n"))
        near, far = await asyncio.open_connection("127.0.0.1", to)
        if head.startswith(b"CONNECT"):
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            far.write(head)
        await asyncio.gather(pump(reader, far), pump(near, writer))

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"), asked
    finally:
        server.close()
        await server.wait_closed()


NAMES = {"far.example": [["203.0.114.7"]], "inside.example": [["10.0.0.1"]]}


async def test_a_proxy_is_told_the_address_and_the_server_the_name() -> None:
    async with site(answering()) as at, proxy(at.server.port or 0) as (by, asked), name_server(NAMES) as names:
        page = await fetched("http://far.example/a", reach=Reach(proxy=by, nameservers=(names.address,)))
        assert page.fetched.url == "http://far.example/a"
        assert asked[0][0] == "GET http://203.0.114.7/a HTTP/1.1"
        assert at.requests[0].headers["Host"] == "far.example"


async def test_tls_through_a_proxy_is_verified_by_name(authority: trustme.CA, ca_file: Path) -> None:
    tls = serving(authority.issue_cert("far.example"))
    async with site(answering(), tls=tls) as at, proxy(at.server.port or 0) as (by, asked), name_server(NAMES) as names:
        reach = Reach(proxy=by, nameservers=(names.address,), ca_file=ca_file)
        assert (await fetched("https://far.example/a", reach=reach)).fetched.status == 200
        assert asked[0][0] == "CONNECT 203.0.114.7:443 HTTP/1.1"
        assert at.requests[0].headers["Host"] == "far.example"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://inside.example/", Reason.BLOCKED_ADDRESS),
        ("https://inside.example/", Reason.BLOCKED_ADDRESS),
        ("http://127.1/", Reason.BLOCKED_ADDRESS),
        ("http://[::1]/", Reason.BLOCKED_ADDRESS),
        ("http://far.example:8080/", Reason.BLOCKED_PORT),
        ("http://nowhere.example/", Reason.DNS_ERROR),
    ],
)
async def test_a_proxy_gets_no_request_for_internal_addresses(url: str, reason: Reason) -> None:
    async with site(answering()) as at, proxy(at.server.port or 0) as (by, asked), name_server(NAMES) as names:
        failed = await failure(url, reach=Reach(proxy=by, nameservers=(names.address,)))
        assert (failed.reason, asked) == (reason, [])
