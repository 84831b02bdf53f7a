"""Hostile documents in real parser children: each becomes an article or fails with a reason, within the limits."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from contract.article import Article
from contract.job import Job, Kind, Lane
from contract.metrics import Metrics
from contract.options import Format, Options, Part
from contract.reasons import Reason
from workers.children.pool import ParserLimits, ParserPool
from workers.document import RawDocument
from workers.failures import Failed
from workers.parse_task import PRELOAD, extract_article

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.processes]

PROSE = "The last ferry left the old harbour nine years ago, and few believed that one would ever come back to it. "
ARTICLE = f"<article><h1>Ferry</h1><p>{PROSE * 2}</p><p>{PROSE * 3}</p></article>"
LIMITS = ParserLimits(wall_clock_s=5.0)  # short: the test of a document that runs into it passes, too
EVERYTHING = Options(formats=tuple(Format), include=tuple(Part))
NAMED = {Reason.NO_ARTICLE, Reason.LIST_PAGE, Reason.RESULT_TOO_LARGE, Reason.MEMORY, Reason.PARSE_TIMEOUT}
MIB = 1024**2


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parser() -> AsyncIterator[ParserPool[RawDocument, Article]]:
    metrics = Metrics(CollectorRegistry())
    async with ParserPool(extract_article, slots=1, limits=LIMITS, metrics=metrics, preload=PRELOAD) as running:
        yield running


def raw_document(content: str | bytes, *, is_html: bool) -> RawDocument:
    kind = Kind.HTML if is_html else Kind.TEXT
    job = Job(id="1", kind=kind, lane=Lane.BULK, accepted_at="2026-01-01T00:00:00Z", options=EVERYTHING)
    return RawDocument(job=job, content=content, is_html=is_html, url="https://www.example.org/a")


async def outcome(parser: ParserPool[RawDocument, Article], document: RawDocument) -> Article | Reason:
    try:
        return await parser.run(document)
    except Failed as failed:
        return failed.reason


CELLS = "".join(f"<td>{number}" for number in range(20))
PAGES = {
    "100,000 nested divs": "<div>" * 100_000 + PROSE,
    "100,000 nested divs around an article": "<div>" * 100_000 + ARTICLE + "</div>" * 100_000,
    "100,000 nested spans": f"<p>{'<span>' * 100_000}{PROSE}",
    "20,000 nested links": f"<p>{'<a href=x>' * 20_000}{PROSE}",
    "100,000 nested lists": "<ul><li>" * 100_000 + PROSE,
    "100,000 nested quotes": "<blockquote>" * 100_000 + PROSE,
    "100,000 nested fonts": "<b><i><font>" * 33_000 + PROSE,
    "recursive tables": "<table><tr><td>" * 30_000 + PROSE,
    "a table of 200,000 cells": f"{ARTICLE}<table>{f'<tr>{CELLS}</tr>' * 10_000}</table>",
    "spans without measure": f"{ARTICLE}<table>{'<tr><td rowspan=65534 colspan=1000>a<td>b</tr>' * 10_000}</table>",
    "a row of 100,000 cells": f"{ARTICLE}<table><tr>{'<td colspan=9>a' * 100_000}</tr><tr><td>b<td>c</table>",
    "100,000 nested template roots": "<x-a><template shadowrootmode=open>" * 30_000 + PROSE,
    "20,000 slots": f"<x-a><template shadowrootmode=open>{'<slot></slot>' * 20_000}</template>{PROSE}</x-a>{ARTICLE}",
    "20,000 hidden elements": f"{ARTICLE}{f'<p><a>Read more</a></p><p hidden id=x>{PROSE}</p>' * 5_000}",
    "a million rules of style": f"<style>{'.a{display:none}' * 60_000}{'@media{' * 60_000}</style>{ARTICLE}",
    "10 MB of code": f"{ARTICLE}<pre>{'  x = 1' + chr(10) * 3}" * 1 + ("  y = 2\n\n" * 500_000),
    "100,000 lines of code": f"{ARTICLE}<pre>{'<span class=lineno>1</span><div> x</div>' * 100_000}</pre>{PROSE}",
    "a formula of 10,000 levels": f"<p>{PROSE}<math>{'<msup><mi>a</mi>' * 5_000}</math></p>{ARTICLE}",
    "nested quotations": f"<p>{'<q>' * 50_000}{PROSE}</p>{ARTICLE}",
    "nested sups": f"<p>{'<sup>1' * 50_000}{PROSE}</p>{ARTICLE}",
    "a set of a million images": f"<p>{PROSE}</p><img srcset='{'a.jpg 1w, (' * 200_000}'><p>{PROSE * 3}</p>",
    "a million line feeds": f"<div style='white-space:pre-line'>{PROSE}{chr(10) * MIB}{PROSE}</div>",
    "lists, quotes and tables in each other": "<ul><li><blockquote><table><tr><th>a<td>b<tr><td>" * 5_000 + PROSE,
    "elements of its own": f"{'<x-a>' * 50_000}{PROSE}",
    "tables that never end": f"<table><tr><td>{PROSE}" * 500,
    "20 MB of one tag": "<br>" * (20 * MIB // 4),
    "2 MB of paragraphs": "<p>a</p>" * (2 * MIB // 8),
    "20 MB of one paragraph": f"<p>{PROSE * (20 * MIB // len(PROSE))}</p>",
    "20 MB of one attribute": f"<p class='{'x ' * (10 * MIB)}'>{PROSE}</p>",
    "an attribute without end": f"{ARTICLE}<p class='{'y' * MIB}",
    "10,000 attributes": f"<p {' '.join(f'a{n}=1' for n in range(10_000))}>{PROSE}</p>",
    "a tag without end": f"{ARTICLE}<{'z' * MIB}",
    "a comment without end": f"{ARTICLE}<!--{'-' * MIB}",
    "entities": f"{ARTICLE}<p>{'&amp;&lt;&#0;&#xD800;&#x110000;&nosuch;&' * 20_000}</p>",
    "one long entity": f"{ARTICLE}<p>&{'a' * MIB};</p>",
    "an entity declared within itself": '<!DOCTYPE html [<!ENTITY a "&b;&b;"><!ENTITY b "&a;&a;">]><p>&a;' + PROSE,
    "null bytes": ARTICLE.replace(" ", "\0 \0"),
    "only null bytes": "\0" * MIB,
    "a megabyte of <": "<" * MIB,
    "100 kB of &": f"<p>{'&' * (MIB // 10)}",
    "structured data nested deeply": f"<script type='application/ld+json'>{'[' * 100_000}</script>{ARTICLE}",
    "structured data without end": f'<script type="application/ld+json">{{"@type": "{"x" * MIB}{ARTICLE}',
    "5,000 scripts of data": "<script type='application/ld+json'>{}</script>" * 5_000 + ARTICLE,
    "5,000 names": "<meta property='og:title' content='x'>" * 5_000 + ARTICLE,
    "2,000 headlines": f"<h1>{PROSE}</h1>" * 2_000,
    "3,000 times": "<time datetime='2024-01-01'>1 May 2024</time>" * 3_000 + ARTICLE,
    "2,000 bylines": "<span class='author byline' rel=author>By Jo Marsh</span>" * 2_000 + ARTICLE,
    "frames": "<frameset><frame src=a></frameset>",
    "a plain script": "<script>" + "alert(1);" * 100_000,
    "right to left": f"<p dir=rtl>{chr(0x202E) + 'שלום עולם العربية ' * 2000}</p>",
    "zalgo": f"<p>{('Z' + chr(0x0351) * 5000) * 50}</p>",
}
BYTES = {
    "broken UTF-8": ARTICLE.encode() + b"\xff\xfe\xc0\x80" * 50_000,
    "UTF-16 that calls itself UTF-8": b"<meta charset=utf-8>" + ARTICLE.encode("utf-16"),
    "a charset that is none": b"<meta charset=x-nosuch>" + ARTICLE.encode(),
    "a charset that lies": b"<meta charset=shift_jis>" + "ÄÖÜ é ".encode() * 1000 + ARTICLE.encode(),
    "a torn UTF-16": ARTICLE.encode("utf-16")[:-1],
    "EBCDIC": ARTICLE.encode("cp037"),
    "noise": bytes(range(256)) * 4000,
    "empty": b"",
}
TEXTS = {
    "a line of 10 MB": PROSE * (10 * MIB // len(PROSE)),
    "a word of 2 MB": "x" * (2 * MIB),
    "10,000 lines": "a\n" * 10_000,
    "100,000 blank lines": f"{PROSE}\n" + "\n" * 100_000 + PROSE,
    "only emoji": "😀👩‍👩‍👧‍👦🏳️‍🌈" * 5_000,
    "right to left": "\u202eשלום עולם, זהו סיפור ארוך מאוד على ضفة النهر. " * 2000,
    "zalgo": ("Z" + chr(0x0351) * 500 + "algo ") * 500,
    "one letter with 200,000 marks": "a" + chr(0x0301) * 200_000,
    "mojibake of mojibake": "Ã¢â‚¬â„¢ ÃƒÂ©tÃƒÂ© " * 2_000,
    "quotes in quotes": "> " * 100_000 + PROSE,
    "bullets": "- " * 100_000,
    "tabs": "\t" * 100_000 + PROSE,
    "hyphens at the ends of lines": "hy-\nphen " * 3_000,
    "controls": "\x01\x02\x1b[31m" * 100_000,
    "lone surrogates": "\ud800\udc00\udfff" * 5_000,
    "5,000 dates": "1 May 2024 " * 5_000,
    "3,000 bylines": "By Jo Marsh\n" * 3_000,
    "2,000 addresses": "jo@example.org https://example.org/a?b=c\n" * 2_000,
    "Markdown that never closes": "[**_`" * 50_000,
}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
async def test_pages(parser: ParserPool[RawDocument, Article], page: str) -> None:
    result = await outcome(parser, raw_document(page, is_html=True))
    assert isinstance(result, Article) or result in NAMED


@pytest.mark.parametrize("body", BYTES.values(), ids=BYTES)
async def test_bytes(parser: ParserPool[RawDocument, Article], body: bytes) -> None:
    result = await outcome(parser, raw_document(body, is_html=True))
    assert isinstance(result, Article) or result in NAMED


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_texts(parser: ParserPool[RawDocument, Article], text: str) -> None:
    result = await outcome(parser, raw_document(text, is_html=False))
    assert isinstance(result, Article) or result in NAMED


@pytest.mark.parametrize(
    "name",
    [
        *("an attribute without end", "entities", "null bytes", "structured data nested deeply", "a tag without end"),
        *("a million rules of style", "20,000 slots", "a formula of 10,000 levels"),
    ],
)
async def test_the_article_beside_it_is_found(parser: ParserPool[RawDocument, Article], name: str) -> None:
    result = await outcome(parser, raw_document(PAGES[name], is_html=True))
    assert isinstance(result, Article)
    assert PROSE.strip() in result.text


async def test_the_next_document_is_not_affected(parser: ParserPool[RawDocument, Article]) -> None:
    result = await outcome(parser, raw_document(ARTICLE, is_html=True))
    assert isinstance(result, Article)
