"""Names of documents on the command line: files, URLs, standard input."""

import os
from pathlib import Path

import pytest

from contract.job import Kind
from runtime.cli.documents import Named, named
from runtime.errors import StartError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("example.com", "https://example.com/"),
        ("example.com/path", "https://example.com/path"),
        ("example.com:8443/path?a=b", "https://example.com:8443/path?a=b"),
        ("EXAMPLE.com/notes.md", "https://example.com/notes.md"),
        ("localhost", "https://localhost/"),
        ("localhost:8000/x", "https://localhost:8000/x"),
        ("192.168.0.1/a", "https://192.168.0.1/a"),
        ("bücher.example", "https://xn--bcher-kva.example/"),
        ("例え.テスト/紙", "https://xn--r8jz45g.xn--zckzah/%E7%B4%99"),
        # with a scheme it goes on as it is: what is wrong with it is told with the document's other faults
        ("HTTP://EXAMPLE.COM", "HTTP://EXAMPLE.COM"),
        (" https://example.com/a b ", " https://example.com/a b "),
        ("http://[", "http://["),
    ],
)
def test_urls(target: str, url: str) -> None:
    assert named(target) == Named(Kind.URL, url)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("example.com", Kind.TEXT),
        ("localhost", Kind.TEXT),
        ("bücher.example", Kind.TEXT),
        ("notes.md", Kind.TEXT),
        ("page.html", Kind.HTML),
        ("PAGE.HTM", Kind.HTML),
        ("page.xhtml", Kind.HTML),
        ("http:", Kind.TEXT),
    ],
)
def test_a_file_that_exists_wins(folder: Path, name: str, kind: Kind) -> None:
    (folder / name).write_bytes(b"\xff\x00words")
    assert named(name) == Named(kind, None, b"\xff\x00words")
    assert named(name, "https://example.com/") == Named(kind, "https://example.com/", b"\xff\x00words")


@pytest.mark.parametrize(
    "target",
    [
        *(
            "notes",
            "notes.md",
            "page.html",
            "report.PDF",
            "a.txt",
            "./notes",
            "../notes.md",
            "/no/such/file",
            ".",
            "..",
        ),
        *(" ", "a\0b", "x" * 5000, "folder/", "ftp://example.com/", "file:///etc/hosts", "mailto:a@example.com"),
        *("-x", "user@"),
    ],
)
def test_a_name_that_is_neither_file_nor_url_is_reported(target: str) -> None:
    with pytest.raises(StartError) as caught:
        named(target)
    assert str(caught.value).startswith(f"{target}: ")


def test_an_empty_name_is_reported_as_empty() -> None:
    with pytest.raises(StartError, match="empty"):
        named("")


def test_a_missing_file_is_no_url() -> None:
    with pytest.raises(StartError) as caught:
        named("notes.md")
    assert str(caught.value) == "notes.md: no such file, and not a URL"


@pytest.mark.parametrize("name", ["folder", "example.com"])
def test_a_folder_is_no_document(folder: Path, name: str) -> None:
    (folder / name).mkdir()
    with pytest.raises(StartError) as caught:
        named(name)
    assert str(caught.value) == f"{name}: Is a directory"


def test_the_reason_is_given_for_a_file_that_cannot_be_read(folder: Path) -> None:
    # Nobody, not even root, can read address 0 of a process.
    (folder / "memory.txt").symlink_to("/proc/self/mem")
    with pytest.raises(StartError) as caught:
        named("memory.txt")
    assert str(caught.value) == "memory.txt: Input/output error"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_the_reason_is_given_for_a_file_without_permission(folder: Path) -> None:
    (folder / "hidden.txt").write_text("words")
    (folder / "hidden.txt").chmod(0)
    with pytest.raises(StartError) as caught:
        named("hidden.txt")
    assert str(caught.value) == "hidden.txt: Permission denied"


def test_a_dash_is_standard_input(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "-").write_bytes(b"a file of that name")
    (folder / "piped").write_bytes(b"\xffpiped")
    with (folder / "piped").open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        assert named("-", "https://example.com/") == Named(Kind.TEXT, "https://example.com/", b"\xffpiped")
    assert named("./-").body == b"a file of that name"
