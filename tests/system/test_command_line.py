"""The command line as a person or a script uses it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.processes import INSTALLED, copydesk, running

pytestmark = pytest.mark.system

SEEDS = Path(__file__).parent.parent.parent / "seeds"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data = str(tmp_path_factory.mktemp("data"))
    with running("up", "--port", "0", "--ops-port", "0", "--data", data) as process:
        yield process.wait_for_urls("api")["api"]


@pytest.mark.parametrize("command", ["", "up", "serve", "work", "submit", "tail", "extract", "topology", "schemas"])
def test_every_command_explains_itself(command: str) -> None:
    done = copydesk(*command.split(), "--help", program=INSTALLED)
    assert done.returncode == 0
    assert b"Usage: copydesk" in done.stdout


def test_extract_prints_one_event_a_line_in_the_order_of_its_files() -> None:
    names = ["wire-en.txt", "news-en.html", "hardwrap-de.txt"]
    done = copydesk("extract", *(str(SEEDS / name) for name in names))
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["data"]["language"] for event in events] == ["en", "en", "de"]
    assert [event["data"]["kind"] for event in events] == ["text", "html", "text"]


def test_extract_takes_submissions_and_keeps_their_order() -> None:
    texts = [f"The council met on day {number} and decided nothing of note." for number in range(40)]
    texts[3] = "word " * 60_000  # slow: the others must wait for it
    lines = [json.dumps({"text": text, "labels": {"n": str(number)}}) for number, text in enumerate(texts)]
    done = copydesk("extract", "--jsonl", "-", "--jobs", "2", stdin="\n".join(lines).encode(), timeout_s=120)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["data"]["labels"]["n"] for line in done.stdout.splitlines()] == [str(n) for n in range(40)]


def test_extract_refuses_what_is_no_submission_and_goes_on() -> None:
    lines = b'{"text": "One fine sentence stands here."}\n{"txet": "x"}\n{"text": "Another one stands here."}\n'
    done = copydesk("extract", "--jsonl", "-", stdin=lines)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 2
    assert b"line 2: " in done.stderr
    assert b"txet" in done.stderr


def test_a_failed_document_gives_an_event_and_an_exit_code() -> None:
    done = copydesk("extract", "--jsonl", "-", stdin=b'{"html": "<html><body></body></html>"}\n')
    assert done.returncode == 1
    assert json.loads(done.stdout)["data"]["reason"] == "no_article"


def test_submit_prints_receipts_and_tail_the_events(api: str) -> None:
    done = copydesk(
        "submit", "--url", api, "--label", "desk=7", str(SEEDS / "wire-en.txt"), str(SEEDS / "blog-en.html")
    )
    assert done.returncode == 0, done.stderr
    receipts = [line.split("\t") for line in done.stdout.decode().splitlines()]
    assert {(receipt[0], receipt[2]) for receipt in receipts} == {("accepted", "bulk")}
    shown = copydesk("tail", "--url", api, "--count", "2")
    events = [json.loads(line) for line in shown.stdout.splitlines()]
    assert {event["subject"] for event in events} == {receipt[1] for receipt in receipts}
    assert {event["data"]["labels"]["desk"] for event in events} == {"7"}


def test_submit_reads_standard_input_with_where_it_came_from(api: str) -> None:
    text = b"The ferry will not sail today, the harbour master said on Monday morning."
    done = copydesk("submit", "--url", api, "--origin", "https://www.example.com/ferry", "--json", "-", stdin=text)
    assert done.returncode == 0, done.stderr
    receipt = json.loads(done.stdout)
    assert (receipt["name"], receipt["lane"]) == ("-", "interactive")
    shown = copydesk("tail", "--url", api, "--pattern", "processed.*.com.example.www", "--count", "1")
    assert json.loads(shown.stdout)["data"]["url"] == "https://www.example.com/ferry"


def test_documents_that_the_server_refuses_are_named(api: str, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text(" \n")
    done = copydesk("submit", "--url", api, str(tmp_path / "empty.txt"), str(SEEDS / "wire-en.txt"))
    assert done.returncode == 1
    assert b"empty.txt\ttext: " in done.stderr
    assert done.stdout.startswith(b"accepted\t")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["submit", "--url", "http://127.0.0.1:9", "--patience", "0", "-"], 3),
        (["tail", "--url", "http://127.0.0.1:9"], 3),
        (["tail", "--amqp", "amqp://127.0.0.1:9/"], 3),
        (["submit", "no-such-file.txt"], 2),
        (["extract"], 2),
        (["serve"], 2),
        (["work"], 2),
        (["up", "--host", "0.0.0.0"], 2),
        (["nonsense"], 2),
    ],
)
def test_exit_codes(arguments: list[str], code: int) -> None:
    done = copydesk(*arguments, stdin=b"Some words.")
    assert done.returncode == code, done.stderr
    assert done.stderr


def test_an_unknown_setting_stops_the_start() -> None:
    done = copydesk("up", settings={"COPYDESK_PROT": "1"})
    assert done.returncode == 2
    assert b"COPYDESK_PROT" in done.stderr


def test_beyond_loopback_it_starts_with_keys_only_and_asks_for_them(tmp_path: Path) -> None:
    settings = {"COPYDESK_API_KEYS": "desk:hush-hush"}
    arguments = "up", "--host", "0.0.0.0", "--port", "0", "--ops-port", "0", "--data", str(tmp_path)
    with running(*arguments, settings=settings) as process:
        url = process.wait_for_urls("api")["api"].replace("0.0.0.0", "127.0.0.1")
        refused = copydesk("submit", "--url", url, "-", stdin=b"Some words.")
        accepted = copydesk(
            "submit", "--url", url, "-", stdin=b"Some words.", settings={"COPYDESK_API_KEY": "hush-hush"}
        )
        process.stop()
        assert "hush-hush" not in json.dumps(process.log)
    assert refused.returncode == 1
    assert accepted.returncode == 0, accepted.stderr


def test_a_data_folder_serves_one_process(tmp_path: Path) -> None:
    with running("up", "--port", "0", "--ops-port", "0", "--data", str(tmp_path)) as first:
        first.wait_for_urls("api")
        second = copydesk("up", "--port", "0", "--ops-port", "0", "--data", str(tmp_path))
    assert second.returncode == 2
    assert str(tmp_path).encode() in second.stderr
