"""Puts a piece of markup into a page, extracts it, and returns its text, Markdown and HTML."""

from typing import NamedTuple

from contract.article import Article
from contract.job import Job, Kind, Lane
from contract.options import Focus, Format, Options, Part
from workers.document import RawDocument
from workers.pipeline import extract_article

BEFORE = (
    "The mill on the lower river was sold on Monday to a group of four families, who mean to grind flour there again.",
    "The wheel has stood still since 1974, when the last miller left, and kingfishers have lived in its buckets.",
)
AFTER = (
    "Nobody in the valley believed that the council would agree, for the road to the mill is narrow and often floods.",
    "The families have put in sixty thousand each, and a bank in the next town lends the rest at a rate of its own.",
    "A first loaf from the flour of the mill is promised for the fair in October, where the old stones will be shown.",
)
PAGE = """<!doctype html><html lang="en"><head><title>Mill sold | Valley Post</title>{head}</head><body>
<header><nav><a href="/">Home</a> <a href="/news">News</a></nav></header><main><article><h1>Mill sold</h1>
{before}{within}{after}</article></main><footer>© Valley Post</footer></body></html>"""


class Forms(NamedTuple):
    """The markup's result in each form, without the paragraphs of the page around it."""

    text: str
    markdown: str
    html: str
    article: Article


def paragraphs(*texts: str) -> str:
    return "".join(f"<p>{text}</p>" for text in texts)


def extracted(page: str, focus: Focus = Focus.BALANCED) -> Article:
    options = Options(formats=tuple(Format), include=tuple(Part), focus=focus)
    job = Job(id="1", kind=Kind.HTML, lane=Lane.BULK, accepted_at="2026-01-01T00:00:00Z", options=options)
    return extract_article(RawDocument(job=job, content=page, is_html=True, url="https://post.example/news/mill"))


def forms_of(within: str, *, focus: Focus = Focus.BALANCED, head: str = "") -> Forms:
    page = PAGE.format(head=head, before=paragraphs(*BEFORE), within=within, after=paragraphs(*AFTER))
    article = extracted(page, focus)
    text, markdown = between(article.text, "\n\n"), between(article.markdown or "", "\n\n")
    return Forms(text, markdown, between_tags(article.html or ""), article)


def between(form: str, gap: str) -> str:
    before, after = gap.join(BEFORE), gap.join(AFTER)
    assert form.startswith(before), form
    assert form.strip().endswith(after), form
    return form.strip()[len(before) : -len(after)].strip("\n")


def between_tags(html: str) -> str:
    before, after = paragraphs(*BEFORE), paragraphs(*AFTER)
    assert html.startswith(before), html
    assert html.endswith(after), html
    return html[len(before) : -len(after)]
