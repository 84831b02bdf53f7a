from tests.workers.quality.pages import PROSE
from workers.extract.body import find_comments
from workers.page.segment import segment
from workers.page.tree import parse

COMMENTS = f"<section id=comments><h2>2 comments</h2><div class=c><p>{PROSE[0]}</p></div><p>{PROSE[1]}</p></section>"


def comments(markup: str) -> str | None:
    segmented = segment(parse(f"<html><body>{markup}</body></html>")[-1])
    kept = [block.text == PROSE[3] for block in segmented.blocks]
    return find_comments(segmented, kept)


def test_comments_are_recognised_by_their_containers() -> None:
    assert comments(f"<article><p>{PROSE[3]}</p></article>{COMMENTS}") == f"{PROSE[0]}\n\n{PROSE[1]}"


def test_the_article_is_no_comment() -> None:
    assert comments(f"<div class=comments><p>{PROSE[3]}</p></div>") is None


def test_without_comments_there_are_none() -> None:
    assert comments(f"<p>{PROSE[3]}</p><p>{PROSE[2]}</p>") is None
