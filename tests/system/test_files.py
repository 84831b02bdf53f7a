"""Files in many charsets through the command line: their text, and the charset in the event."""

import codecs
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.processes import copydesk, running

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

GERMAN = "Die Fähre nach Süden fährt künftig über die größere Brücke, sagte Bürgermeisterin Jäger am Dienstag in Köln. "
RUSSIAN = (
    "Паром больше не ходит по воскресеньям, сообщил во вторник начальник порта, а мост закрыт на ремонт до весны. "
)
JAPANESE = "町議会は火曜日に、渡し船の乗り場を北の岸へ移すことを決めました。工事は来年の春に始まる予定です。"
CHINESE = "市议会星期二决定把渡口迁到北岸，工程将于明年春天开始，预计需要两年时间，居民对此表示欢迎。"
ENGLISH = "The council voted on Tuesday to move the ferry landing to the northern quay before the summer. "


def page(text: str, head: str = "") -> str:
    return f"<!doctype html><html><head>{head}<title>Ferry</title></head><body><article><p>{text}</p></article></body>"


def meta(charset: str) -> str:
    return f'<meta charset="{charset}">'


# name of the file, its text, its content, the charset that the event tells, and how it was found
FILES = [
    ("utf8.txt", GERMAN, GERMAN.encode(), "utf-8", "detected"),
    ("utf8-bom.txt", GERMAN, codecs.BOM_UTF8 + GERMAN.encode(), "utf-8", "bom"),
    ("utf16-bom.txt", RUSSIAN, RUSSIAN.encode("utf-16"), "utf-16le", "bom"),
    ("utf16be-bom.txt", JAPANESE, codecs.BOM_UTF16_BE + JAPANESE.encode("utf-16-be"), "utf-16be", "bom"),
    ("utf16.txt", ENGLISH, ENGLISH.encode("utf-16-le"), "utf-16le", "detected"),
    ("utf16be.txt", GERMAN, GERMAN.encode("utf-16-be"), "utf-16be", "detected"),
    ("shift_jis.txt", JAPANESE, (JAPANESE * 2).encode("cp932"), "shift_jis", "detected"),
    ("koi8-r.txt", RUSSIAN, (RUSSIAN * 2).encode("koi8-r"), "koi8-r", "detected"),
    ("latin-1.txt", GERMAN, (GERMAN * 2).encode("latin-1"), "windows-1252", "default"),
    ("gb18030.txt", CHINESE, (CHINESE * 2).encode("gb18030"), "gb18030", "detected"),
    ("koi8-r.html", RUSSIAN, page(RUSSIAN, meta("koi8-r")).encode("koi8-r"), "koi8-r", "meta"),
    ("shift_jis.htm", JAPANESE, page(JAPANESE * 2, meta("Shift_JIS")).encode("cp932"), "shift_jis", "meta"),
    ("latin-1.html", GERMAN, page(GERMAN, meta("iso-8859-1")).encode("latin-1"), "windows-1252", "meta"),
    ("wrong.html", GERMAN, page(GERMAN, meta("windows-1251")).encode("utf-16"), "utf-16le", "bom"),
    (
        "declared.xhtml",
        RUSSIAN,
        f'<?xml version="1.0" encoding="windows-1251"?>\n{page(RUSSIAN)}'.encode("cp1251"),
        "windows-1251",
        "xml",
    ),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("files")
    for name, _, content, *_ in FILES:
        (made / name).write_bytes(content)
    (made / "report.pdf").write_bytes(b"%PDF-1.7\n\x01\x02")
    return made


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data = str(tmp_path_factory.mktemp("data"))
    with running("up", "--port", "0", "--ops-port", "0", "--data", data) as process:
        yield process.wait_for_urls("api")["api"]


def check(name: str, event: dict[str, Any]) -> None:
    (text, charset, source), data = next((file[1], *file[3:]) for file in FILES if file[0] == name), event["data"]
    assert text.strip() in data["text"], name
    assert "\ufffd" not in data["text"]
    assert (data["provenance"]["charset"], data["provenance"]["charset_source"]) == (charset, source), name


def test_extract_reads_files_as_they_were_written_and_tells_how(folder: Path) -> None:
    names = [file[0] for file in FILES]
    done = copydesk("extract", *(str(folder / name) for name in names))
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    for name, event in zip(names, events, strict=True):
        check(name, event)


def test_submit_posts_files_as_they_are_and_the_event_tells_their_charset(api: str, folder: Path) -> None:
    paths = [str(folder / file[0]) for file in FILES]
    options = (
        "--label",
        "desk=7",
        "--label",
        "東=a&b",
        "--format",
        "text",
        "--format",
        "markdown",
        "--focus",
        "recall",
    )
    done = copydesk("submit", "--url", api, "--json", *options, "--include", "links", "--keep-all", *paths)
    assert done.returncode == 0, done.stderr
    receipts = [json.loads(line) for line in done.stdout.splitlines()]
    shown = copydesk("tail", "--url", api, "--after", "oldest", "--count", str(len(FILES)))
    events = {event["subject"]: event for event in map(json.loads, shown.stdout.splitlines())}
    for receipt in receipts:
        event = events[receipt["id"]]
        check(Path(receipt["name"]).name, event)
        assert event["data"]["labels"] == {"desk": "7", "東": "a&b"}
        assert event["data"]["markdown"]
        assert event["data"]["html"] is None
    again = copydesk("submit", "--url", api, "--json", *options, "--include", "links", "--keep-all", *paths)
    assert {json.loads(line)["id"] for line in again.stdout.splitlines()} == set(events)
    other = copydesk("submit", "--url", api, "--json", *options, "--include", "links", *paths)
    assert not {json.loads(line)["id"] for line in other.stdout.splitlines()} & set(events)


@pytest.mark.parametrize("command", ["submit", "extract"])
def test_a_file_that_is_no_text_is_refused_and_the_others_are_not(api: str, folder: Path, command: str) -> None:
    server = ["--url", api] if command == "submit" else []
    (folder / "empty.txt").write_bytes(b"")
    (folder / "mark.txt").write_bytes(codecs.BOM_UTF8)
    refused = {
        "report.pdf": "text: looks like PDF, which is neither plain text nor HTML: extract its text first",
        "empty.txt": "text: must hold more than white space",
        "mark.txt": "text: must hold more than white space",
    }
    paths = [str(folder / name) for name in [*refused, "utf8.txt"]]
    done = copydesk(command, *server, *paths)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    messages = done.stderr.decode()
    for name, why in refused.items():
        assert [why in line for line in messages.splitlines() if f"{name}" in line] == [True], messages


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_a_name_in_another_charset_is_a_name(api: str, folder: Path, as_json: tuple[str, ...]) -> None:
    path = os.fsdecode(os.fsencode(folder) + b"/caf\xe9.txt")
    Path(path).write_text(ENGLISH)
    done = copydesk("submit", "--url", api, *as_json, path)
    assert done.returncode == 0, done.stderr
    if as_json:
        assert json.loads(done.stdout)["name"] == f"{folder}/caf\ufffd.txt"
    else:
        assert done.stdout.endswith(b"/caf\xe9.txt\n")


def test_an_origin_that_is_not_utf8_is_said_in_a_line(folder: Path) -> None:
    done = copydesk("submit", "--origin", "http://example.com/\udcff", str(folder / "utf8.txt"))
    assert (done.returncode, done.stderr) == (2, b"copydesk: --origin must be UTF-8\n")


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_warnings_stand_on_standard_error_alone(api: str, folder: Path, as_json: tuple[str, ...]) -> None:
    path = str(folder / "utf8.txt")
    done = copydesk("submit", "--url", api, "--origin", "ftp://example.com/a", *as_json, path)
    assert done.returncode == 0
    (warning, summary) = done.stderr.decode().splitlines()
    assert warning.startswith(f"warning\t{path}\turl: ")
    assert summary.startswith("copydesk: 1 accepted")
    (receipt,) = done.stdout.decode().splitlines()
    assert "warning" not in receipt
    assert receipt.startswith('{"name":' if as_json else "accepted\t")


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_warnings_of_extract_stand_on_standard_error_alone(as_json: tuple[str, ...]) -> None:
    line = json.dumps({"text": ENGLISH, "url": "ftp://example.com/a", "metadata": {"title": "a\x08b"}})
    done = copydesk("extract", "--jsonl", "-", *as_json, stdin=line.encode())
    assert done.returncode == 0
    assert [messages.split(": ")[0] for messages in done.stderr.decode().splitlines()] == [
        "warning\tline 1\turl",
        "warning\tline 1\tmetadata.title",
    ]
    (event,) = done.stdout.splitlines()
    assert json.loads(event)["data"]["title"] == "ab"
