import pytest

from workers.document import Metadata
from workers.metadata.resolve import read_metadata
from workers.page.head import read_head
from workers.page.tree import parse

KICKER, HEADLINE = "Island ferries", "A second boat sails from May"
OG = f"<meta property='og:title' content='{HEADLINE}'>"
JOINED = f"<meta property='og:title' content='{KICKER}: {HEADLINE}'>"


def read(body: str, head: str = "", title: str = HEADLINE) -> Metadata:
    html = f"<html lang='en'><head><title>{title} - The Pier</title>{head}</head><body>{body}<p>Text.</p></body></html>"
    tree = parse(html)
    return read_metadata(tree, read_head(tree, html), "https://pier.example/a")


def kicker_and_title(metadata: Metadata) -> tuple[str | None, str | None]:
    kicker, title = metadata.kicker, metadata.title
    return kicker.value if kicker else None, title.value if title else None


@pytest.mark.parametrize(
    ("body", "head"),
    [
        (f"<h1><span class='kicker'>{KICKER}</span> <span>{HEADLINE}</span></h1>", ""),
        (f"<h1><span class='article__overline'>{KICKER}:</span> {HEADLINE}</h1>", OG),
        (f"<h1><span class='a'>{KICKER}</span><span class='b'>{HEADLINE}</span></h1>", OG),
        (f"<h1>{KICKER}: {HEADLINE}</h1>", OG),
        (f"<p class='dachzeile'>{KICKER}</p><h1>{HEADLINE}</h1>", ""),
        (f"<header><div><span class='topLine'>{KICKER}</span></div><h1>{HEADLINE}</h1></header>", OG),
        (f"<div class='x'>{KICKER}</div><h1>{HEADLINE}</h1>", JOINED),
    ],
    ids=["inside", "with colon", "by og:title", "label", "before", "in the header", "joined in og:title"],
)
def test_a_kicker_that_markup_sets_off_is_no_part_of_the_title(body: str, head: str) -> None:
    assert kicker_and_title(read(body, head)) == (KICKER, HEADLINE)


@pytest.mark.parametrize(
    "body",
    [
        f"<h1>{HEADLINE}</h1>",
        f"<nav class='breadcrumb'>{KICKER}</nav><h1>{HEADLINE}</h1>",
        f"<p>{KICKER}</p><h1>{HEADLINE}</h1>",
        f"<p class='kicker'>The Pier</p><h1>{HEADLINE}</h1>",
        f"<p class='kicker'>{HEADLINE}</p><h1>{HEADLINE}</h1>",
        f"<h1>{HEADLINE}</h1><p class='kicker'>{KICKER}</p>",
        f"<p class='kicker'>May 3, 2024</p><h1>{HEADLINE}</h1>",
        f"<p class='kicker'>News / Local</p><h1>{HEADLINE}</h1>",
    ],
    ids=["none", "breadcrumb", "unnamed", "the site", "the title", "below", "a date", "a path"],
)
def test_other_words_are_no_kicker(body: str) -> None:
    site = "<meta property='og:site_name' content='The Pier'>"
    assert kicker_and_title(read(body, site)) == (None, HEADLINE)


def test_a_colon_in_a_headline_is_part_of_it() -> None:
    whole = f"{KICKER}: {HEADLINE}"
    assert kicker_and_title(read(f"<h1>{whole}</h1>", title=whole)) == (None, whole)
