"""Small pages for the resolvers' tests."""

from lxml.html import HtmlElement, document_fromstring

from workers.metadata.sources import PageSources, gather

URL = "https://www.harbour-gazette.example/news/ferry-returns"


def tree(head: str = "", body: str = "", lang: str = "en") -> HtmlElement:
    return document_fromstring(f'<html lang="{lang}"><head>{head}</head><body>{body}</body></html>')


def page(head: str = "", body: str = "", *, url: str | None = URL, lang: str = "en") -> PageSources:
    return gather(tree(head, body, lang), url)


def ld(json: str) -> str:
    return f'<script type="application/ld+json">{json}</script>'
