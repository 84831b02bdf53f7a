"""`copydesk conformance` finds nothing wrong with the subscribers in the docs, and finds out those with a mistake."""

import os
import sys
from pathlib import Path

import pytest

from tests.rabbit_node import free_ports
from tests.subscribers import Changes, changed, command, program
from tests.system.processes import copydesk

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

SECRET = "whsec_" + "QUJD" * 12

NO_MEMORY = ('if event["id"] not in seen:', "if True:")
BY_DOCUMENT = (
    ('event["id"] not in seen', 'event["subject"] not in seen'),
    ('remember(event["id"]', 'remember(event["subject"]'),
)
NO_LIMIT = ("        await channel.set_qos(prefetch_count=50)\n", "")
NO_RECONNECT = ("        await asyncio.sleep(RECONNECT_AFTER_S)", "        return")
AUTO_ACK = ("queue.iterator()", "queue.iterator(no_ack=True)")
NO_ACK = ("                await message.ack()\n", "                pass\n")
NO_TOMBSTONE = ('if event["type"] == "copydesk.document.erased.v1":', 'if event["type"] == "erased":')
EXCLUSIVE = (
    """            "my-articles",
            durable=True,
            arguments={"x-queue-type": "quorum", "x-max-length": 100_000, "x-overflow": "reject-publish"},
""",
    """            "own-articles",
            exclusive=True,
""",
)
ALL_TYPES = ('event["type"] == "copydesk.document.processed.v1" and f"', 'f"')
ALL_FIELDS = ('article.get("title")', 'article["title"]')


def found(*arguments: str, settings: dict[str, str] | None = None) -> tuple[int, set[str], set[str]]:
    """Returns the exit code, the names of what is right, and of what is wrong."""
    done = copydesk("conformance", *arguments, settings=settings, timeout_s=400)
    lines = [line.split("\t") for line in done.stdout.decode().splitlines()]
    assert lines, done.stderr
    right = {name for name, _, verdict in lines if verdict == "ok"}
    return done.returncode, right, {name for name, _, _ in lines} - right


CASES = {"article", "repeat", "later run", "reordered", "unknown fields", "earliest version", "odd characters"} | {
    *("largest event", "later version", "unknown type", "failure", "erased", "erased before", "late repeat")
}
ON_AMQP = CASES | {"lost connection", "acknowledgements", "prefetch", "crash", "restart"}
OVER_HTTP = CASES | {"broken stream", "half an event", "server away", "restart"}
FORGERIES = {"no signature", "wrong secret", "other body", "other id", "too old", "from the future"}
AS_WEBHOOKS = CASES | {"changed secret"} | FORGERIES | {f"genuine after {name}" for name in FORGERIES}


@pytest.mark.rabbit
@pytest.mark.parametrize(("language", "queue"), [("python", "my-articles"), ("js", "my-articles-in-node")])
def test_the_subscribers_on_rabbitmq_are_right(amqp_url: str, tmp_path: Path, language: str, queue: str) -> None:
    declared(amqp_url)
    program = [*command(language, tmp_path), "{url}"]
    assert found("amqp", "--queue", queue, "--amqp-url", amqp_url, *program) == (0, ON_AMQP, set())


@pytest.mark.rabbit
@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ([NO_MEMORY, NO_LIMIT, NO_TOMBSTONE], {"repeat", "erased", "erased before", "late repeat", "prefetch"}),
        (
            [NO_RECONNECT, NO_ACK, ALL_FIELDS, ALL_TYPES],
            {"earliest version", "later version", "unknown type", "lost connection", "acknowledgements", "restart"},
        ),
        ([*BY_DOCUMENT, AUTO_ACK, NO_ACK], {"later run", "erased", "prefetch", "crash", "restart"}),
    ],
    ids=["no memory", "no acks", "acks too soon"],
)
def test_mistakes_on_rabbitmq_are_found_out(amqp_url: str, tmp_path: Path, changes: Changes, wrong: set[str]) -> None:
    declared(amqp_url)
    program = [*command("python", tmp_path, changes), "{url}"]
    code, _, faults = found("amqp", "--queue", "my-articles", "--amqp-url", amqp_url, "--patience", "10", *program)
    assert (code, faults) == (1, wrong)


@pytest.mark.rabbit
def test_a_queue_that_is_exclusive_is_named_as_the_mistake(amqp_url: str, tmp_path: Path) -> None:
    declared(amqp_url)
    program = [*command("python", tmp_path, [EXCLUSIVE]), "{url}"]
    done = copydesk("conformance", "amqp", "--queue", "own-articles", "--amqp-url", amqp_url, *program, timeout_s=400)
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"own-articles is exclusive to the subscriber's connection" in done.stderr


def declared(amqp_url: str) -> None:
    done = copydesk("topology", settings={"COPYDESK_AMQP_URL": amqp_url})
    assert done.returncode == 0, done.stderr


NO_PLACE = ('-H "last-event-id: $last" ', "")
ONE_TRY = ("    sleep 2\n", "    exit\n")


def test_the_subscriber_over_http_is_right(tmp_path: Path) -> None:
    program = ["env", "-C", str(tmp_path), *command("bash", tmp_path), "{url}"]
    assert found("sse", *program) == (0, OVER_HTTP, set())


def test_a_receiver_of_webhooks_is_right(tmp_path: Path) -> None:
    assert webhooks(tmp_path) == (0, AS_WEBHOOKS, set())


def webhooks(folder: Path, changes: Changes = ()) -> tuple[int, set[str], set[str]]:
    path = folder / "receiver.py"
    path.write_text(changed(program("python", "webhooks.md"), changes), encoding="utf-8")
    port = str(free_ports(1)[0])
    command = ["env", f"PORT={port}", sys.executable, str(path)]
    settings = {"WEBHOOK_SECRET": SECRET, "PATH": os.environ["PATH"]}
    return found("webhook", "--url", f"http://127.0.0.1:{port}/", "--patience", "10", *command, settings=settings)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ([NO_PLACE], {"broken stream", "half an event", "restart"}),
        ([ONE_TRY], {"broken stream", "server away"}),
    ],
    ids=["no place", "one try"],
)
def test_mistakes_over_http_are_found_out(tmp_path: Path, changes: Changes, wrong: set[str]) -> None:
    program = ["env", "-C", str(tmp_path), *command("bash", tmp_path, changes), "{url}"]
    code, _, faults = found("sse", "--patience", "10", *program)
    assert (code, faults) == (1, wrong)


NO_CHECK = (
    "    return is_new and any(hmac.compare_digest(expected, one) for one in signatures)\n",
    "    return True\n",
)
NO_CLOCK = ("timestamp.isdecimal() and abs(time.time() - int(timestamp)) < 300", "True")
NO_IDS = ('if genuine and self.headers["webhook-id"] not in SEEN:', "if genuine:")
FIRST_SIGNATURE = ('.encode().split(b" ")', '.encode().split(b" ")[:1]')
NO_OTHERS = (
    "self.send_response(204 if genuine else 401)",
    "self.send_response(204 if genuine and b'.v1\"' in body else 500)",
)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        (
            [NO_CHECK, NO_IDS],
            {*FORGERIES, *(f"genuine after {name}" for name in FORGERIES), "repeat", "late repeat", "erased"},
        ),
        (
            [NO_CLOCK, FIRST_SIGNATURE, NO_OTHERS],
            {*FORGERIES, "changed secret", "later version"},
        ),
    ],
    ids=["believes all", "no clock"],
)
def test_mistakes_of_receivers_are_found_out(tmp_path: Path, changes: Changes, wrong: set[str]) -> None:
    code, _, faults = webhooks(tmp_path, changes)
    assert (code, faults) == (1, wrong)
