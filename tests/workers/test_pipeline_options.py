"""The effects of a submission's options on the article."""

from contract.article import Article, PageKind
from contract.job import Job, Kind, Lane
from contract.options import Focus, Format, Options, Part
from tests.workers.posts.pages import MICRODATA, POSTS
from workers.document import RawDocument
from workers.pipeline import extract_article

PROSE = (
    "The last ferry left the old harbour nine years ago, and few believed that one would ever come back to the town.",
    "On Tuesday morning it did, an hour late and with a brass band on deck, to the cheers of <b>the whole town</b>.",
    "The company means to <a href='/timetable'>sail twice a day</a> from May, and hourly once the other ship is there.",
    "Nobody knows yet what a ticket will cost, said the harbour master, but it will be less than the bus to the city.",
)
ROWS = "<tr><td>Heron</td><td>120</td></tr><tr><td>Tern</td><td>90</td></tr>"
TABLE = f"<table><tr><th>Ship</th><th>Seats</th></tr>{ROWS}</table>"
PAGE = (
    "<html lang=en><head><title>Ferry returns</title></head><body><article><h1>Ferry returns</h1>"
    f"<p>{PROSE[0]}</p><figure><img src=/heron.jpg alt='The Heron'></figure><p>{PROSE[1]}</p>{TABLE}<p>{PROSE[2]}</p>"
    f"<p>{PROSE[3]}</p></article><section id=comments><p>What a day it was for all of us.</p></section></body></html>"
)
PASTED = "Share this\n\n" + "\n\n".join([PROSE[0], PROSE[3]]) + "\n\nRead more: Bus fares rise"


def extracted(content: str, options: Options, *, is_html: bool = True) -> Article:
    kind = Kind.HTML if is_html else Kind.TEXT
    job = Job(id="1", kind=kind, lane=Lane.BULK, accepted_at="2026-01-01T00:00:00Z", options=options)
    return extract_article(
        RawDocument(job=job, content=content, is_html=is_html, url="https://www.example.org/news/ferry")
    )


def test_by_default_an_article_has_text_and_metadata() -> None:
    article = extracted(PAGE, Options())
    assert (article.markdown, article.html, article.comments) == (None, None, None)
    assert "Heron | 120" in article.text
    assert article.page_kind is PageKind.ARTICLE
    assert article.quality.confidence is not None
    assert article.quality.confidence > 0.5


def test_formats_are_made_of_the_same_blocks() -> None:
    article = extracted(PAGE, Options(formats=tuple(Format)))
    assert article.markdown is not None
    assert article.html is not None
    assert "cheers of **the whole town**." in article.markdown
    assert "[sail twice a day](https://www.example.org/timetable)" in article.markdown
    assert "| Heron | 120 |" in article.markdown
    assert '<a href="https://www.example.org/timetable"' in article.html
    assert "img" not in article.html


def test_everything_is_included() -> None:
    article = extracted(PAGE, Options(formats=tuple(Format), include=tuple(Part)))
    assert "![The Heron](https://www.example.org/heron.jpg)" in (article.markdown or "")
    assert article.comments == "What a day it was for all of us."


def test_nothing_is_included() -> None:
    article = extracted(PAGE, Options(formats=tuple(Format), include=()))
    assert "Heron" not in article.text
    assert "<table" not in (article.html or "")
    assert "timetable" not in (article.markdown or "")


def test_focus_changes_how_much_is_kept() -> None:
    lengths = [len(extracted(PAGE, Options(focus=focus)).text) for focus in (Focus.PRECISION, Focus.RECALL)]
    assert lengths[0] <= lengths[1]


def test_keep_all_takes_nothing_from_pasted_text() -> None:
    whole = extracted(PASTED, Options(keep_all=True), is_html=False)
    assert "Share this" in whole.text
    assert whole.removed == ()
    assert whole.quality.confidence is None
    assert extracted(PASTED, Options(), is_html=False).removed != ()


def test_pasted_text_has_a_confidence() -> None:
    confidence = extracted(PASTED, Options(), is_html=False).quality.confidence
    assert confidence is not None
    assert 0 < confidence <= 1


def test_focus_reaches_pasted_text() -> None:
    doubtful = "The harbour in pictures"
    head, foot = ["Home", "News", "Sport", "Boats", "Weather", "About us"], ["Most read", "Bus fares rise", "Contact"]
    pasted = "\n\n".join([*head, *PROSE, "The new ship", *PROSE[::-1], doubtful, *foot])
    texts = [extracted(pasted, Options(focus=focus), is_html=False).text for focus in (Focus.PRECISION, Focus.RECALL)]
    assert [doubtful in text for text in texts] == [False, True]


def test_pasted_text_has_forms_too() -> None:
    article = extracted(f"{PROSE[0]}\n\n- one\n- two", Options(formats=tuple(Format)), is_html=False)
    assert "- one\n- two" in (article.markdown or "")
    assert "<li>two</li>" in (article.html or "")


def test_a_thread_has_its_posts_with_dates_in_iso_8601() -> None:
    article = extracted(MICRODATA.replace("10:12:00Z", "10:12:00.5+02:00"), Options())
    times = [f"{day}T10:12:00.500+02:00" for _, day, _ in POSTS]
    assert [(post.author, post.published) for post in article.posts] == [
        (name, time) for (name, _, _), time in zip(POSTS, times, strict=True)
    ]
    assert all(post.text in article.text for post in article.posts)
    assert extracted(PAGE, Options()).posts == ()
