"""TLS with a private authority and client certificates: it works, and each mistake is named, on a real node."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from contract.topology import design
from runtime.amqp_tls import TlsFault, with_files
from runtime.brokers.rabbit.setup import check_topology, declare_topology
from tests.brokers.test_rabbit_refusals import SECRET, Speak, everywhere, refusal
from tests.rabbit_tls import USER, TlsNode, tls_node, write_certificates

pytestmark = pytest.mark.rabbit


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsNode]:
    with tls_node(tmp_path_factory.mktemp("tls")) as found:
        yield found


@pytest.fixture
async def expired(tls: TlsNode) -> AsyncIterator[int]:
    """A port whose certificate has expired. The handshake ends before any AMQP."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.file("expired-server.pem"), tls.file("expired-server.key"))
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


def url_of(  # noqa: PLR0913 - the parts of a URL
    tls: TlsNode,
    *,
    user: str = f"guest:{SECRET}@",
    host: str = "localhost",
    port: int | None = None,
    ca: str = "ca.pem",
    certificate: str | None = "known",
) -> str:
    """Returns the URL as settings make it."""
    files = [tls.folder / name if name else None for name in (ca, *pair(certificate))]
    return with_files(f"amqps://{user}{host}:{port or tls.port}/", *files)


def pair(certificate: str | None) -> tuple[str, str]:
    return (f"{certificate}.pem", f"{certificate}.key") if certificate else ("", "")


@pytest.mark.parametrize("user", ["guest:guest@", ""], ids=["password", "certificate"])
async def test_one_logs_in_by_password_or_by_certificate(tls: TlsNode, user: str) -> None:
    await declare_topology(url_of(tls, user=user), design())
    assert await check_topology(url_of(tls, user=user), design()) == []
    await asyncio.to_thread(tls.node.ctl, "list_connections", "user")


async def test_the_certificate_is_the_user(tls: TlsNode) -> None:
    from aio_pika import connect  # noqa: PLC0415 - beside its use

    async with await connect(url_of(tls, user="")):
        names = await asyncio.to_thread(tls.node.ctl, "list_connections", "user", "auth_mechanism")
    assert [USER, "EXTERNAL"] in [line.split() for line in names.splitlines()]


@everywhere
async def test_no_tls_to_a_port_with(speak: Speak, tls: TlsNode) -> None:
    message = await refusal(speak, f"amqp://guest:{SECRET}@127.0.0.1:{tls.port}/")
    assert message.startswith(f"tls_failed: 127.0.0.1:{tls.port} speaks TLS: use amqps:// ")


@everywhere
@pytest.mark.parametrize("ca", ["", "other-ca.pem"], ids=["system", "another"])
async def test_a_certificate_of_an_unknown_authority(speak: Speak, tls: TlsNode, ca: str) -> None:
    message = await refusal(speak, url_of(tls, ca=ca))
    assert message.startswith(f"tls_failed: the certificate of localhost:{tls.port} is of an authority")
    assert "COPYDESK_AMQP_CA_FILE" in message


@everywhere
async def test_a_certificate_for_another_name(speak: Speak, tls: TlsNode) -> None:
    message = await refusal(speak, url_of(tls, host="127.0.0.1"))
    assert message.startswith(f"tls_failed: the certificate of 127.0.0.1:{tls.port} is for another name")


@everywhere
async def test_a_certificate_that_has_expired(speak: Speak, tls: TlsNode, expired: int) -> None:
    message = await refusal(speak, url_of(tls, port=expired))
    assert message.startswith(f"tls_failed: the certificate of localhost:{expired}, or its authority's, has expired")


@everywhere
async def test_no_client_certificate(speak: Speak, tls: TlsNode) -> None:
    message = await refusal(speak, url_of(tls, certificate=None))
    assert message.startswith(f"tls_failed: localhost:{tls.port} wants a client certificate")
    assert "COPYDESK_AMQP_CERT_FILE" in message


@everywhere
@pytest.mark.parametrize("certificate", ["foreign", "expired"])
async def test_a_client_certificate_that_is_refused(speak: Speak, tls: TlsNode, certificate: str) -> None:
    message = await refusal(speak, url_of(tls, certificate=certificate))
    assert message.startswith(f"tls_failed: localhost:{tls.port} refuses the client certificate")
    assert "COPYDESK_AMQP_CERT_FILE" in message


@everywhere
async def test_a_client_certificate_of_no_user(speak: Speak, tls: TlsNode) -> None:
    message = await refusal(speak, url_of(tls, user="", certificate="unknown"))
    assert message.startswith(f"credentials_refused: RabbitMQ at localhost:{tls.port} does not log in the client")


@everywhere
async def test_an_authority_that_is_no_file(speak: Speak, tls: TlsNode) -> None:
    message = await refusal(speak, f"amqps://guest:{SECRET}@localhost:{tls.port}/?cafile=/no/such/file.pem")
    assert message.startswith("tls_failed: a file for TLS is not there")


def test_files_that_cannot_be_used_are_named_before_anything_connects(tmp_path: Path) -> None:
    write_certificates(tmp_path)
    ca, known, key, other = (tmp_path / name for name in ("ca.pem", "known.pem", "known.key", "expired.key"))
    (tmp_path / "empty").touch()
    for scheme, files, fault in (
        ("amqp", (ca, None, None), "COPYDESK_AMQP_CA_FILE: these are for amqps://"),
        ("amqps", (tmp_path / "none", None, None), "COPYDESK_AMQP_CA_FILE: .*none cannot be read"),
        ("amqps", (tmp_path, None, None), "COPYDESK_AMQP_CA_FILE: .* cannot be read"),
        ("amqps", (tmp_path / "empty", None, None), "COPYDESK_AMQP_CA_FILE: .* holds no certificate in PEM"),
        ("amqps", (ca, None, key), "COPYDESK_AMQP_KEY_FILE is set, but its certificate is not"),
        ("amqps", (ca, known, other), r"are no pair in PEM \(the key belongs to another certificate\)"),
        ("amqps", (ca, known, None), "are no pair in PEM"),
        ("amqps", (ca, tmp_path / "empty", key), "are no pair in PEM"),
    ):
        with pytest.raises(TlsFault, match=fault):
            with_files(f"{scheme}://guest:{SECRET}@localhost/", *files)


def test_a_key_with_a_password_is_refused_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - beside its use

    write_certificates(tmp_path)
    key = serialization.load_pem_private_key((tmp_path / "known.key").read_bytes(), None)
    (tmp_path / "locked.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(SECRET.encode()),
        )
    )
    with pytest.raises(TlsFault, match="the key has a password"):
        with_files("amqps://localhost/", None, tmp_path / "known.pem", tmp_path / "locked.key")


def test_without_files_the_url_stays_as_it_is() -> None:
    url = "amqp://user:pa%2Fss@host:5672/%2Fvhost?heartbeat=5"
    assert with_files(url, None, None, None) == url


def test_what_the_url_says_stays(tmp_path: Path) -> None:
    write_certificates(tmp_path)
    made = with_files("amqps://us%2Fer:pa%2Fss@host/%2Fvhost?heartbeat=5", tmp_path / "ca.pem", None, None)
    assert made == f"amqps://us%2Fer:pa%2Fss@host/%2Fvhost?heartbeat=5&cafile={tmp_path / 'ca.pem'}"
