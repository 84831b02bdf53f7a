"""Small pages for the resolvers' tests."""

from datetime import datetime

from lxml.html import HtmlElement, document_fromstring

from workers.document import Metadata
from workers.metadata.resolve import read_metadata
from workers.metadata.sources import PageSources, gather
from workers.page.head import read_head

URL = "https://www.harbour-gazette.example/news/ferry-returns"


def tree(head: str = "", body: str = "", lang: str = "en") -> HtmlElement:
    return document_fromstring(f'<html lang="{lang}"><head>{head}</head><body>{body}</body></html>')


def page(head: str = "", body: str = "", *, url: str | None = URL, lang: str = "en") -> PageSources:
    return sources_of(tree(head, body, lang), url)


def sources_of(parsed: HtmlElement, url: str | None) -> PageSources:
    return gather(parsed, read_head(parsed, ""), url)


def metadata_of(parsed: HtmlElement, url: str | None, now: datetime) -> Metadata:
    return read_metadata(parsed, read_head(parsed, ""), url, now=now)


def ld(json: str) -> str:
    return f'<script type="application/ld+json">{json}</script>'
