"""The files and headings that documents name exist: a change that moves one must update the documents."""

import re
from pathlib import Path

import pytest

from tests.test_decisions import anchor

ROOT = Path(__file__).parents[1]
FOLDERS = ("bench", "clients", "contract", "deploy", "docs", "runtime", "seeds", "service", "tests", "workers")
FILES = frozenset(
    str(path.relative_to(ROOT)) for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()
)
DOCUMENTS = ["README.md", "CONTRIBUTING.md", *sorted(name for name in FILES if name.endswith(".md"))]
_QUOTED = re.compile(r"`([^`\s]+)`")
_OF_A_FOLDER = re.compile(rf"({'|'.join(FOLDERS)})/[\w./-]*")
_LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_OF_A_NAME = re.compile(r"[\w./-]+\.(py|npz)")


def named(text: str) -> list[str]:
    """Returns the words between backticks in `text` that look like files or folders of this project."""
    return [name for name in _QUOTED.findall(text) if _OF_A_FOLDER.fullmatch(name) or _OF_A_NAME.fullmatch(name)]


def is_there(name: str) -> bool:
    return any(f"/{file}/".startswith(f"/{name.rstrip('/')}/") or f"/{file}".endswith(f"/{name}") for file in FILES)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_a_document_names_exists(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    assert [name for name in named(text) if not is_there(name)] == []


@pytest.mark.parametrize("name", ["`workers/desk.py`", "`spots.py`", "`workers/desk/`", "`runtime/brokers/none.py`"])
def test_a_file_that_is_gone_is_found(name: str) -> None:
    assert [is_there(one) for one in named(f"The way begins in {name}.")] == [False]


def dangling(document: str, text: str) -> list[str]:
    """Returns the links in `text`, which stands in `document`, to files or headings that do not exist."""
    found = []
    for path, heading in _LINK.findall(text):
        target = (ROOT / document).parent / path if path else ROOT / document
        if not target.exists() or (heading and target.suffix == ".md" and heading not in anchors(target)):
            found.append(f"{path}#{heading}" if heading else path)
    return found


def anchors(document: Path) -> list[str]:
    return [anchor(title) for title in _HEADING.findall(document.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_of_a_document_leads_somewhere(document: str) -> None:
    assert dangling(document, (ROOT / document).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("link", ["gone.svg", "api.md#no-such-heading", "#no-such-heading"])
def test_a_link_to_what_is_gone_is_found(link: str) -> None:
    assert dangling("docs/performance.md", f"See [this]({link}).") == [link]
