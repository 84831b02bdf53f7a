"""Dead letters as an operator sees them: on the command line, over HTTP, on both brokers."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import aio_pika
import pytest

from tests.system.processes import copydesk, running

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

SLOW = "word " * 400_000  # takes a parser some 0.7 s, far above the limit below
WITHIN_S = 60


def dead(api: str, *arguments: str) -> tuple[int, str, str]:
    """Runs `copydesk dead` and returns its exit code, its standard output, and its standard error."""
    command, *rest = arguments
    done = copydesk("dead", command, "--url", api, *rest)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def submit(api: str, text: str) -> str:
    done = copydesk("submit", "--url", api, "--json", "--label", "desk=7", "-", stdin=text.encode())
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["id"])


def events(api: str, count: int) -> list[str]:
    done = copydesk("tail", "--url", api, "--after", "oldest", "--count", str(count))
    return [f"{json.loads(line)['id']} {json.loads(line)['type']}" for line in done.stdout.splitlines()]


def until_listed(api: str, count: int) -> list[dict[str, Any]]:
    """Waits until so many letters are listed, and returns them."""
    end = time.monotonic() + WITHIN_S
    while True:
        code, listed, complaint = dead(api, "list", "--json", "--order", "oldest")
        assert code == 0, complaint
        letters = [json.loads(line) for line in listed.splitlines()]
        if len(letters) == count:
            return letters
        assert time.monotonic() < end, letters


def test_a_document_that_was_buried_is_retried_when_its_cause_is_mended(tmp_path: Path) -> None:
    arguments = "up", "--port", "0", "--ops-port", "0", "--slots", "1", "--data", str(tmp_path)
    harsh = {"COPYDESK_PARSE_TIMEOUT_S": "0.001", "COPYDESK_RETRY_DELAYS_S": "0.1"}
    with running(*arguments, settings=harsh) as up:
        api = up.wait_for_urls("api")["api"]
        document = submit(api, SLOW)
        (letter,) = until_listed(api, 1)
        up.stop()
    assert (letter["id"], letter["reason"], letter["run"]) == (document, "parse_timeout", 1)
    assert letter["labels"] == {"desk": "7"}
    with running(*arguments) as up:
        api = up.wait_for_urls("api")["api"]
        assert json.loads(dead(api, "show", document[:8])[1])["id"] == document
        assert dead(api, "retry", document[:8]) == (0, f"retried\t{document}\n", "")
        assert events(api, 2) == [
            f"{document}.1 copydesk.document.failed.v1",
            f"{document}.2 copydesk.document.processed.v1",
        ]
        assert until_listed(api, 0) == []
        up.stop()
        assert SLOW[:20] not in json.dumps(up.log)


@pytest.fixture
def api(amqp_url: str) -> Iterator[str]:
    settings = {"COPYDESK_AMQP_URL": amqp_url}
    with ExitStack() as stack:
        serve = stack.enter_context(running("serve", "--port", "0", "--ops-port", "0", settings=settings))
        work = stack.enter_context(running("work", "--slots", "1", "--ops-port", "0", settings=settings))
        work.wait_for_urls("ops")
        url = serve.wait_for_urls("api")["api"]
        submit(url, "The first document shows that both take part.")
        assert len(events(url, 1)) == 1
        assert dead(url, "drop", "--all")[0] == 0
        yield url


async def publish(url: str, queue: str, body: bytes, message_id: str) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.default_exchange.publish(aio_pika.Message(body, message_id=message_id), queue)


def job(document: str) -> bytes:
    known = {"id": document, "kind": "text", "lane": "bulk", "accepted_at": "2025-03-01T12:00:00Z"}
    return json.dumps({**known, "content": "The ferry sails again, the harbour master said."}).encode()


@pytest.mark.rabbit
def test_letters_on_rabbitmq_are_listed_shown_retried_and_dropped(api: str, amqp_url: str) -> None:
    asyncio.run(publish(amqp_url, "copydesk.intake.interactive", b"\xff no job", "nobodys-message"))
    (letter,) = until_listed(api, 1)
    assert (letter["id"], letter["reason"], letter["retryable"]) == ("nobodys-message", "undecodable", False)
    asyncio.run(publish(amqp_url, "copydesk.dead", job("ferry"), "ferry"))
    until_listed(api, 2)
    assert json.loads(dead(api, "show", "nobodys-")[1])["id"] == "nobodys-message"

    code, lines, _ = dead(api, "list", "--reason", "undecodable")
    assert (code, [line.split("\t")[:2] for line in lines.splitlines()]) == (0, [["nobodys-message", "undecodable"]])
    code, shown, _ = dead(api, "show", "ferry")
    assert (code, json.loads(shown)["lane"]) == (0, "bulk")
    assert "harbour" not in shown
    assert dead(api, "show", "ferry", "--body")[1].encode() == job("ferry")

    code, printed, complaint = dead(api, "retry", "nobodys-message", "ferry", "nobody")
    assert (code, printed) == (1, "retried\tferry\n")
    assert [line.split("\t")[:2] for line in complaint.splitlines()] == [
        ["refused", "nobodys-message"],
        ["refused", "nobody"],
    ]
    done = copydesk("tail", "--url", api, "--pattern", "processed.#", "--after", "oldest", "--count", "2")
    assert json.loads(done.stdout.splitlines()[-1])["id"] == "ferry.2"

    assert dead(api, "retry", "--all")[:2] == (1, "retried\t0\n")
    assert dead(api, "drop", "--reason", "undecodable") == (0, "dropped\t1\n", "")
    assert dead(api, "list") == (0, "", "")


MOMENT = "019a1b2c-7000-7000-8000-00000000000"  # ids of one moment share their beginning


@pytest.mark.rabbit
def test_the_beginning_of_an_id_is_enough_on_rabbitmq_where_it_is_the_only_one(api: str, amqp_url: str) -> None:
    for document in (f"{MOMENT}1", f"{MOMENT}2", "019a1b2d-7000-7000-8000-000000000003"):
        asyncio.run(publish(amqp_url, "copydesk.dead", job(document), document))
    until_listed(api, 3)
    for command in ("show", "retry", "drop"):
        code, _, complaint = dead(api, command, "019a1b2c")
        assert (code, "2 dead letters have ids that begin with 019a1b2c" in complaint) == (1, True)
    assert dead(api, "drop", "019a1b2d") == (0, "dropped\t019a1b2d-7000-7000-8000-000000000003\n", "")
    assert dead(api, "retry", f"{MOMENT}2") == (0, f"retried\t{MOMENT}2\n", "")
    assert dead(api, "retry", MOMENT[:20]) == (0, f"retried\t{MOMENT}1\n", "")
    until_listed(api, 0)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["list", "--url", "http://127.0.0.1:9"], 3),
        (["retry", "--url", "http://127.0.0.1:9", "--all"], 3),
        (["retry"], 2),
        (["drop", "one", "--all"], 2),
        (["drop", "--all", "--reason", "memory"], 2),
        (["drop", "--reason", "whim"], 2),
        (["show"], 2),
    ],
)
def test_exit_codes(arguments: list[str], code: int) -> None:
    done = copydesk("dead", *arguments)
    assert done.returncode == code, done.stderr
    assert done.stderr


@pytest.mark.parametrize("command", ["", "list", "show", "retry", "drop"])
def test_every_command_explains_itself(command: str) -> None:
    done = copydesk("dead", *command.split(), "--help")
    assert done.returncode == 0
    assert b"Usage: copydesk dead" in done.stdout
