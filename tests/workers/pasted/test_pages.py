"""Whole pastes with what is expected of each line, in `pages`.

A line begins with `+ ` if it is the article's, `- ` if it is not, `T ` if it is the title, and `A ` if it is a by-line,
which ends with ` | ` and the authors.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest

from workers.pasted.text_reader import read_text

PAGES = sorted(Path(__file__).parent.joinpath("pages").glob("*.txt"))


@dataclass(frozen=True)
class Page:
    text: str
    article: tuple[str, ...]
    furniture: tuple[str, ...]
    title: str | None
    authors: tuple[str, ...]


def page(file: Path) -> Page:
    rows = [(line[0], line[2:]) for line in file.read_text(encoding="utf-8").splitlines()]
    byline = next((said for mark, said in rows if mark == "A"), "").partition(" | ")
    pasted = "\n".join(f"\n{said.partition(' | ')[0]}\n" if mark in "+TA" else said for mark, said in rows)
    return Page(
        text=pasted,
        article=tuple(said for mark, said in rows if mark == "+"),
        furniture=tuple(said for mark, said in rows if mark == "-"),
        title=next((said for mark, said in rows if mark == "T"), None),
        authors=tuple(byline[2].split("; ")) if byline[2] else (),
    )


@pytest.fixture(params=PAGES, ids=[file.stem for file in PAGES])
def pasted(request: pytest.FixtureRequest) -> Page:
    return page(request.param)


def test_the_whole_article_is_kept(pasted: Page) -> None:
    kept = read_text(pasted.text).text.splitlines()
    assert [line for line in pasted.article if line not in kept] == []


def test_nothing_of_the_page_around_it_is_kept(pasted: Page) -> None:
    kept = read_text(pasted.text).text.splitlines()
    assert [line for line in pasted.furniture if line in kept] == []


def test_its_title_and_its_authors_are_found(pasted: Page) -> None:
    draft = read_text(pasted.text)
    assert (draft.title.value if draft.title else None) == pasted.title
    assert (draft.authors.value if draft.authors else ()) == pasted.authors
