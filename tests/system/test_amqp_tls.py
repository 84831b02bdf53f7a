"""Every role and command reaches RabbitMQ over TLS with a client certificate, from settings alone."""

import json
import time
from collections.abc import Iterator

import pytest

from tests.rabbit_tls import TlsNode, tls_node
from tests.system.ledger_stacks import TEXT
from tests.system.processes import copydesk, running
from tests.system.test_broker_settings import await_ready
from tests.system.test_scoped_users import ask

pytestmark = [pytest.mark.rabbit, pytest.mark.system]


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsNode]:
    with tls_node(tmp_path_factory.mktemp("tls")) as found:
        yield found


def settings_of(tls: TlsNode, *, ca: str = "ca.pem", certificate: str = "known") -> dict[str, str]:
    return {
        "COPYDESK_AMQP_URL": f"amqps://localhost:{tls.port}/",
        "COPYDESK_AMQP_CA_FILE": tls.file(ca),
        "COPYDESK_AMQP_CERT_FILE": tls.file(f"{certificate}.pem"),
        "COPYDESK_AMQP_KEY_FILE": tls.file(f"{certificate}.key"),
    }


def test_a_document_comes_through(tls: TlsNode) -> None:
    settings = settings_of(tls)
    assert copydesk("topology", settings=settings).returncode == 0
    url = settings["COPYDESK_AMQP_URL"]
    with (
        running("serve", "--port", "0", "--ops-port", "0", settings=settings) as serve,
        running("work", "--slots", "1", "--ops-port", "0", settings=settings) as work,
        running("tail", "--amqp", url, "--json", "--count", "1", settings=settings) as tail,
    ):
        for process in (serve, work):
            await_ready(process.wait_for_urls("ops")["ops"])
        api = serve.wait_for_urls("api")["api"]
        while tail.returncode is None:
            event = ask(f"{api}/v1/documents", {"text": TEXT}, Prefer="wait=30")
            assert event["type"] == "copydesk.document.processed.v1"
        assert tail.returncode == 0
        assert (serve.stop(), work.stop()) == (0, 0)
    audit = copydesk("audit", "--json", settings=settings)
    assert json.loads(audit.stdout)["missing"] == 0


@pytest.mark.parametrize(
    "command", [("topology",), ("topology", "--check"), ("audit",), ("tail", "--amqp")], ids=" ".join
)
@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"ca": "other-ca.pem"}, "is of an authority that is not trusted"),
        ({"certificate": "expired"}, "refuses the client certificate"),
        ({"certificate": "unknown"}, "does not log in the client certificate"),
    ],
    ids=["authority", "expired", "no user"],
)
def test_a_mistake_is_named_in_the_only_line(
    tls: TlsNode, command: tuple[str, ...], files: dict[str, str], fault: str
) -> None:
    settings = settings_of(tls, **files)
    began = time.monotonic()
    arguments = (settings["COPYDESK_AMQP_URL"],) if command[0] == "tail" else ()
    done = copydesk(*command, *arguments, settings=settings)
    (line,) = done.stderr.decode().splitlines()
    assert fault in line
    assert (done.returncode, done.stdout) == (3, b"")
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("command", [("serve",), ("work",), ("record",), ("deliver",), ("topology",), ("audit",)])
def test_a_file_that_is_not_there_is_named_at_start(tls: TlsNode, command: tuple[str, ...]) -> None:
    settings = settings_of(tls) | {"COPYDESK_AMQP_CA_FILE": "no/such.pem", "COPYDESK_LEDGER_URL": "sqlite:///ledger.db"}
    done = copydesk(*command, settings=settings)
    (line,) = done.stderr.decode().splitlines()
    assert line == "copydesk: COPYDESK_AMQP_CA_FILE: no/such.pem cannot be read (No such file or directory)"
    assert done.returncode == 2
