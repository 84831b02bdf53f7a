"""Canaries stand for secrets and document text in all inputs. They appear only in articles."""

import asyncio
import gzip
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.canaries.child import ASK
from tests.canaries.commands import FORMATS, PATIENCE_S, RunningCommand, running, running_each
from tests.fuzz.requests import Route
from tests.fuzz.test_http import routes_of_ports
from tests.postgres_cluster import PASSWORD, PostgresCluster
from tests.rabbit_node import RabbitNode, free_ports
from tests.system.processes import copydesk
from tests.wire import Answer, Wire, request

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

TEXT = "canary-text-6e02"
SECRET_CHARS = 43  # of an API key of the ledger: the rest of it is public
ARTICLE = "application/vnd.copydesk.article+json"  # the answer to a preview
SECRETS = {
    name: f"canary-{name}-6e02"
    for name in ("authorization", "idempotency", "query", "path", "cookie", "url", "amqp", "proxy", "key", "body")
}
SECRETS["ledger"] = PASSWORD
SECRETS["keys"] = "canary-of-the-hashes-of-api-keys-6e02"
KEY = SECRETS["key"]
HEADERS = (
    f"Authorization: Bearer {KEY}",
    f"Idempotency-Key: {SECRETS['idempotency']}",
    f"Cookie: session={SECRETS['cookie']}",
)
FOREIGN = (f"Authorization: Bearer {SECRETS['authorization']}", *HEADERS[1:])
COMMON = {
    "COPYDESK_FETCH_PROXY": f"http://user:{SECRETS['proxy']}@127.0.0.1:1",
    "COPYDESK_RETRY_DELAYS_S": "0.1",
    "COPYDESK_BODY_TIMEOUT_S": "1",
    "COPYDESK_HEADER_TIMEOUT_S": "1",
    "COPYDESK_IDLE_TIMEOUT_S": "0.1",
    "COPYDESK_HEARTBEAT_S": "0.5",
    "COPYDESK_PARSERS": "1",
    "COPYDESK_SHUTDOWN_TIMEOUT_S": "5",
}
PROSE = "The harbour council voted on Tuesday evening to move the ferry landing two hundred metres up the coast. " * 5
BODIES = {
    "application/json": [
        json.dumps({"text": f"{TEXT} {PROSE}"}).encode(),
        json.dumps({"text": TEXT, "metadata": {"title": TEXT, "published": TEXT, "language": TEXT}}).encode(),
        json.dumps({"url": f"http://user:{SECRETS['url']}@127.0.0.1:9/{TEXT}"}).encode(),
        json.dumps({"url": f"http://user:{SECRETS['url']}@[/{TEXT}"}).encode(),
        json.dumps({"text": [TEXT], "options": {"lane": TEXT, "formats": [TEXT]}}).encode(),
        f'{{"text": "{TEXT}'.encode(),
        f'"{TEXT}"'.encode(),
    ],
    "text/plain": [f"{TEXT} {PROSE}".encode(), TEXT.encode() + b"\xff\x00", TEXT.encode("utf-16")],
    "text/html; charset=big5": [f"<h1>{TEXT}</h1><p>{PROSE}</p>".encode(), TEXT.encode() + b"\xff"],
    "text/plain; charset=" + SECRETS["body"]: [TEXT.encode()],
    SECRETS["body"] + "/x": [TEXT.encode()],
}
CODINGS = {
    "br": TEXT.encode(),
    "gzip": TEXT.encode() * 9,
    "gzip ": gzip.compress(TEXT.encode() * 900)[:-9],
    "deflate": TEXT.encode(),
    SECRETS["body"]: TEXT.encode(),
}
READ = {"POST", "PATCH"}  # methods whose bodies are read
UNREAD = [(("Content-Type: application/json",), BODIES["application/json"][0])]  # what the other methods get
DEFECTS = ("put", "task", "callback", "library", "thread", "warning")
WORK_DEFECTS = tuple(f"work-{name}" for name in DEFECTS[1:])
CHILD_DEFECTS = ("child-print", "child-raise", "child-thread", "child-exit", "handle")


def everything(routes: Iterable[Route]) -> Iterator[bytes]:
    """Yields requests with canaries in each place where one fits, to each of `routes`."""
    query = f"?q={SECRETS['query']}"
    for method, path in routes:
        for headers in (HEADERS, FOREIGN):
            target = path.replace("/0", "/" + SECRETS["path"])
            yield request(target, *headers, method=method)
            yield request(target + query, *headers, method=method)
            yield request(target + query.replace("q=", "last="), *headers, "Last-Event-ID: " + SECRETS["query"])
            yield request(target, *headers, method=method, host=SECRETS["path"] + ".example")
            for fields, body in with_bodies() if method in READ else UNREAD:
                yield request(target, *headers, *fields, method=method, body=body)
    for options in ("lane", "url", "focus", "formats", "keep_all", "q"):
        target = f"/v1/documents?{options}={SECRETS['query']}"
        yield request(target, *HEADERS, "Content-Type: text/plain", method="POST", body=TEXT.encode())
    yield from malformed()


def with_bodies() -> Iterator[tuple[tuple[str, ...], bytes]]:
    """Yields bodies, each with the header fields that describe it."""
    for media_type, bodies in BODIES.items():
        yield from (((f"Content-Type: {media_type}",), body) for body in bodies)
    for coding, body in CODINGS.items():
        yield ("Content-Type: text/plain", f"Content-Encoding: {coding.strip()}"), body


def malformed() -> Iterator[bytes]:
    lines = "\r\n".join(HEADERS).encode()
    yield b"GET /" + SECRETS["path"].encode() + b"\r\n" + lines + b"\r\n\r\n"
    yield b"GET / HTTP/1.1\r\n" + lines + b"\r\n\r\n"
    yield b"GET / HTTP/1.1\r\nHost: localhost\r\n" + lines + b"\x00\r\n\r\n"
    yield b"GET / HTTP/1.1\r\nHost: localhost\r\n" + lines + b"\r\nExpect: " + SECRETS["body"].encode() + b"\r\n\r\n"
    yield b"GET / HTTP/1.1\r\nHost: localhost\r\n" + lines  # and nothing more
    yield b"GET / HTTP/1.1\r\nHost: localhost\r\n" + lines + b"\r\nA: " + SECRETS["body"].encode() * 900 + b"\r\n\r\n"
    framed = b"POST /v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n" + lines + b"\r\n"
    yield framed + b"Content-Length: 900\r\n\r\n" + TEXT.encode()  # and nothing more
    yield framed + b"Transfer-Encoding: chunked\r\n\r\n" + TEXT.encode()
    yield framed + b"Transfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n" + TEXT.encode()
    yield framed + b"Content-Length: " + SECRETS["body"].encode() + b"\r\n\r\n" + TEXT.encode()


NOWHERE = ("GET", "/0")
REQUESTS = {port: list(everything([*routes, NOWHERE])) for port, routes in routes_of_ports().items()}


async def ask_all(port: int, requests: Iterable[bytes] = REQUESTS["api"], at_once: int = 50) -> list[bytes]:
    """Returns the answer to each of the requests, each on a separate connection."""
    places = asyncio.Semaphore(at_once)

    async def ask_one(raw: bytes) -> bytes:
        async with places:
            wire = await Wire.to(port)
            wire.send(raw)
            return await wire.ended(but_within_s=0.2, after=b"text/event-stream")

    return await asyncio.gather(*(ask_one(raw) for raw in requests))


async def post(port: int, text: str) -> Answer:
    wire = await Wire.to(port)
    wire.send(request("/v1/documents", HEADERS[0], "Content-Type: text/plain", method="POST", body=text.encode()))
    answer = await wire.answer()
    await wire.close()
    assert answer is not None
    return answer


async def ask_for_defects(port: int, names: tuple[str, ...]) -> None:
    for name in names:
        answer = await post(port, f"{ASK}{name} {TEXT} {PROSE}")
        assert answer.status == (500 if name == "put" else 202), name
        assert TEXT not in repr(answer)


def assert_silent(what: str) -> None:
    assert TEXT not in what
    for secret in SECRETS.values():
        assert secret not in what
    assert "canary" not in what.replace("tests/canaries", ""), "in another form"


def assert_reported(command: RunningCommand, *words: str) -> None:
    """Asserts that the output of a process reports the defects and has no canary."""
    for word in words:
        assert word in command.text, (word, command.text)
    assert_silent(command.text)


@pytest.mark.parametrize(("log_format", "key"), [("json", ""), ("console", f"me:{KEY}"), ("terminal", "")])
def test_up_prints_no_canary(tmp_path: Path, log_format: str, key: str) -> None:
    keys = {"COPYDESK_API_KEYS": key} if key else {}
    with running("up", log_format, {**COMMON, **keys, "COPYDESK_DATA": str(tmp_path)}) as command:
        command.wait_until_ready()
        for port, requests in ((command.port, REQUESTS["api"]), (command.ops_port, REQUESTS["ops"])):
            for got in asyncio.run(ask_all(port, requests)):
                assert_silent_answer(got)
        asyncio.run(ask_for_defects(command.port, (*DEFECTS, *WORK_DEFECTS, *CHILD_DEFECTS)))
        command.wait_for("request_failed", "thread_failed", "library_warned", "traceback", "handler_failed")
        assert_silent(command.metrics())
        asyncio.run(ask_for_defects(command.port, ("crash",)))
        assert command.wait_for_end() != 0
        assert_reported(command, "process_failed", "RuntimeError")


def assert_silent_answer(got: bytes) -> None:
    """Asserts that an answer has document text only in articles; event streams contain these, too."""
    head, _, body = got.decode(errors="replace").partition("\r\n\r\n")
    if "text/event-stream" in head:
        return
    if f"\r\nContent-Type: {ARTICLE}\r\n" in head:
        body = body.replace(TEXT, "")
    assert_silent(f"{head}{body}")


@pytest.fixture
def amqp_url(rabbit_node: RabbitNode) -> Iterator[str]:
    """A broker's URL with a secret password, on a virtual host where crashed workers leave nothing for other tests."""
    name = f"canary{time.monotonic_ns()}"
    with rabbit_node.vhost(name):
        rabbit_node.add_user("canary", SECRETS["amqp"], name)
        yield f"amqp://canary:{SECRETS['amqp']}@127.0.0.1:{rabbit_node.port}/{name}"
        rabbit_node.delete_user("canary")


@pytest.fixture
def ledger_url(cluster: PostgresCluster) -> str:
    """The address of a database with the ledger's tables."""
    url = cluster.database()
    made = copydesk("ledger", "upgrade", settings={"COPYDESK_LEDGER_URL": url})
    assert made.returncode == 0, made.stderr
    return url


def posted_with(port: int, token: str) -> tuple[int, str]:
    """Posts with an API key of the ledger; returns the status, and the answer with its headers."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/plain"}
    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as connection:
        connection.request("POST", "/v1/documents", PROSE, headers)
        answer = connection.getresponse()
        return answer.status, f"{answer.headers}{answer.read().decode()}"


@pytest.mark.rabbit
@pytest.mark.parametrize("log_format", ["json", "terminal"])
def test_the_roles_print_no_canary(amqp_url: str, ledger_url: str, log_format: str) -> None:
    settings = {**COMMON, "COPYDESK_AMQP_URL": amqp_url, "COPYDESK_LEDGER_URL": ledger_url}
    keyed = {"COPYDESK_LEDGER_URL": ledger_url, "COPYDESK_KEYS_SECRET": SECRETS["keys"]}
    made = copydesk("keys", "create", "ann", "--documents-a-day", "1", settings=keyed)
    token = made.stdout.decode().strip()
    mine = {"COPYDESK_API_KEYS": f"me:{KEY}", "COPYDESK_OPERATORS": "me"}
    with (
        running("serve", log_format, {**settings, **keyed, **mine}) as serve,
        running("work", log_format, settings) as work,
        running("record", log_format, settings) as record,
    ):
        for command in (serve, work, record):
            command.wait_until_ready()
        for got in asyncio.run(ask_all(serve.port)):
            assert_silent_answer(got)
        answers = [posted_with(serve.port, token) for _ in range(2)]
        assert [status for status, _ in answers] == [202, 429]
        asyncio.run(ask_for_defects(serve.port, (*DEFECTS, *WORK_DEFECTS, *CHILD_DEFECTS)))
        serve.wait_for("request_failed", "thread_failed", "library_warned")
        work.wait_for("thread_failed", "library_warned", "handler_failed", "parser_child_replaced")
        record.wait_for_metric('copydesk_ledger_entries_total{stream="copydesk.log"}')
        assert_silent(serve.metrics() + work.metrics() + record.metrics())
        told = "".join((serve.metrics(), serve.text, work.text, record.text, *(answer for _, answer in answers)))
        assert token[-SECRET_CHARS:] not in told
        asyncio.run(ask_for_defects(serve.port, ("work-crash",)))
        assert work.wait_for_end() != 0
        asyncio.run(ask_for_defects(serve.port, ("crash",)))
        assert serve.wait_for_end() != 0
        assert_reported(serve, "process_failed")
        assert_reported(work, "process_failed")
        assert_reported(record, "recording")


@pytest.mark.rabbit
@pytest.mark.parametrize("role", ["serve", "record"])
def test_no_canary_is_printed_if_the_ledger_is_away(amqp_url: str, role: str) -> None:
    url = f"postgresql://ledger:{PASSWORD}@127.0.0.1:{free_ports(1)[0]}/ledger"
    settings = {**COMMON, "COPYDESK_AMQP_URL": amqp_url, "COPYDESK_LEDGER_URL": url}
    with running_each(role, ("json", "terminal"), settings) as each:
        for command in each:
            command.wait_for("ledger_unavailable", "listening")
            if role == "serve":
                for got in asyncio.run(ask_all(command.port)):
                    assert_silent_answer(got)
    for command in each:
        assert_reported(command, "ledger_unavailable")


@pytest.mark.rabbit
@pytest.mark.parametrize("role", ["serve", "record"])
def test_no_canary_is_printed_if_the_ledger_refuses_the_password(
    amqp_url: str, cluster: PostgresCluster, role: str
) -> None:
    url = cluster.url().replace(PASSWORD, SECRETS["url"])
    settings = {**COMMON, "COPYDESK_AMQP_URL": amqp_url, "COPYDESK_LEDGER_URL": url}
    with running_each(role, ("json", "terminal"), settings) as each:
        for command in each:
            assert command.wait_for_end() != 0
            assert_reported(command, "PostgreSQL refuses the user or the password")


@pytest.mark.parametrize("role", ["serve", "work", "record"])
def test_no_canary_is_printed_if_the_broker_is_unavailable(role: str) -> None:
    nobody = free_ports(1)[0]
    settings = {
        **COMMON,
        "COPYDESK_AMQP_URL": f"amqp://guest:{SECRETS['amqp']}@127.0.0.1:{nobody}/",
        "COPYDESK_LEDGER_URL": f"postgresql://ledger:{PASSWORD}@127.0.0.1:{nobody}/ledger",
    }
    with running_each(role, FORMATS, settings) as each:
        for command in each:
            command.wait_for("queue_depths_unknown" if role == "serve" else "listening")
            if role == "serve":
                answer = asyncio.run(post(command.port, TEXT))
                assert answer.status == 503
                assert_silent(repr(answer))
    for command in each:
        assert_silent(command.text)


@pytest.mark.rabbit
def test_no_canary_is_printed_if_the_broker_refuses_the_password(rabbit_node: RabbitNode) -> None:
    url = f"amqp://guest:{SECRETS['amqp']}@127.0.0.1:{rabbit_node.port}/"
    with running_each("serve", FORMATS, {**COMMON, "COPYDESK_AMQP_URL": url}) as each:
        for command in each:
            command.wait_for("queue_depths_unknown")
    for command in each:
        assert_silent(command.text)
