"""A RabbitMQ node that speaks TLS and wants client certificates, with a private authority and the files for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import trustme

from tests.rabbit_node import RabbitNode, free_ports

USER = "copydesk-certified"
LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)
_SETTINGS = """
listeners.ssl.1 = 127.0.0.1:{port}
ssl_options.cacertfile = {folder}/ca.pem
ssl_options.certfile = {folder}/server.pem
ssl_options.keyfile = {folder}/server.key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
auth_mechanisms.1 = PLAIN
auth_mechanisms.2 = EXTERNAL
ssl_cert_login_from = common_name
"""


@dataclass(frozen=True)
class TlsNode:
    """A node, its TLS port, and a folder with `ca.pem`, and `NAME.pem` and `NAME.key` of each certificate."""

    node: RabbitNode
    port: int
    folder: Path

    def file(self, name: str) -> str:
        return str(self.folder / name)


def write_certificates(folder: Path) -> None:
    """Writes certificates: `server` for localhost, some of clients, and one of another authority."""
    authority, other = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    other.cert_pem.write_to_path(folder / "other-ca.pem")
    for name, issued in {
        "server": authority.issue_cert("localhost"),
        "expired-server": authority.issue_cert("localhost", not_after=LONG_AGO),
        "known": authority.issue_cert("client.example.com", common_name=USER),
        "unknown": authority.issue_cert("client.example.com", common_name="nobody"),
        "expired": authority.issue_cert("client.example.com", common_name=USER, not_after=LONG_AGO),
        "foreign": other.issue_cert("client.example.com", common_name=USER),
    }.items():
        issued.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
        issued.private_key_pem.write_to_path(folder / f"{name}.key")


@contextmanager
def tls_node(folder: Path) -> Iterator[TlsNode]:
    """Yields a node with the user `USER`, who logs in by certificate alone."""
    (port,) = free_ports(1)
    write_certificates(folder)
    (folder / "node").mkdir()
    settings = _SETTINGS.format(port=port, folder=folder)
    node = RabbitNode(folder / "node", settings=settings, plugins=["rabbitmq_auth_mechanism_ssl"])
    try:
        node.start()
        node.evaluate("rabbit:await_startup().")  # listeners start one after the other
        node.define(
            {
                "users": [{"name": USER, "password_hash": "", "tags": []}],
                "permissions": [{"user": USER, "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}],
            }
        )
        yield TlsNode(node, port, folder)
    finally:
        node.close()
