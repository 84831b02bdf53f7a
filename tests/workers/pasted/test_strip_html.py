import time

import pytest

from workers.pasted.strip_html import is_html, untag
from workers.pasted.text_reader import read_text


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<p>One.</p><p>Two.</p>", True),
        ("<!DOCTYPE html><html><body><h1>A</h1><p>B</p></body></html>", True),
        ("<p> is the tag of a paragraph, and <b> makes text bold.", False),
        ("Close each <p> with </p> and each <div> with </div>.", False),
        ("a < b and b > c", False),
    ],
)
def test_html_is_told_from_text_about_it(text: str, html: bool) -> None:
    assert is_html(text) is html


def words_of(html: str) -> list[str]:
    """Returns the lines that are not blank."""
    return [line for line in untag(html).lines if line]


def test_tags_go_and_the_text_stays() -> None:
    assert words_of("<p>It&rsquo;s <b>2</b> am.</p>") == ["It’s 2 am."]
    said = words_of("<h1>Plan</h1><ul><li>one</li><li>two <i>boats</i></li></ul>")
    assert said == ["Plan", "- one", "- two boats"]


def test_scripts_and_styles_are_no_text() -> None:
    assert words_of("<div><style>p { color: red }</style><script>run()</script><p>Text.</p></div>") == ["Text."]


def test_pasted_html_reads_as_its_text() -> None:
    pasted = (
        "<p>The caf&eacute; at the pier opens at six, and the first boat leaves an hour later.</p>\n"
        "<p>Whoever has a ticket drinks the first cup for nothing &ndash; until May.</p>"
    )
    assert read_text(pasted).text == (
        "The café at the pier opens at six, and the first boat leaves an hour later.\n\n"
        "Whoever has a ticket drinks the first cup for nothing – until May."
    )


@pytest.mark.parametrize("piece", ["<!--", "<", "<p ", "&amp", "<![x", '<a b="', "</", "<div>"])
def test_hostile_html_is_read_in_time(piece: str) -> None:
    text = "<p>a</p><p>b</p>" + piece * (400_000 // len(piece))
    assert is_html(text)
    started = time.process_time()
    untag(text)
    assert time.process_time() - started < 5
