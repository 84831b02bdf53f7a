"""Any posted document becomes an article without control characters, or fails with a reason.

The application, decoder, fetcher and pipeline are real; the broker between them is left out. All fetches use a name
server and a proxy on this machine that do not exist, so they connect nowhere else.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from yarl import URL

from contract.article import Article
from contract.broker import Delivery
from contract.codec import encode
from contract.events import FailedEvent, ProcessedEvent
from contract.metrics import Metrics
from contract.options import Format, Part
from contract.verdicts import Bury, Publish
from service.access.keys import ApiKeys
from service.app import IntakeLimits, build_app
from service.http.hosts import Hosts
from tests.rabbit_node import free_ports
from tests.service.memory_broker import MemoryBroker
from workers.decode import decode
from workers.document import RawDocument
from workers.fetch import Fetcher, FetchLimits, Reach
from workers.fetch.client import GuardedClient
from workers.pipeline import extract_article
from workers.retry import RetryPolicy
from workers.worker import Worker, WorkerLimits

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
SENTENCE = "The council voted on Tuesday to move the ferry landing to the northern quay before the summer. "
EVERYTHING = f"formats={','.join(Format)}&include={','.join(Part)}"
CHARSETS = ["utf-8", "utf-16", "utf-16-le", "cp1252", "koi8-r", "cp932", "gb18030", "utf-32", "cp037"]
ROUNDS = 250

# Defects of real pages: control characters, character references to them, damaged tags and declarations.
ODD = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            *("\0", "\x08", "\f", "\x1b[31m", "\x1c", "\x7f", "\x80", "\x85", "\x9d", "\ud800", "\ufffe", "\u202e"),
            *("&#0;", "&#8;", "&#x1b;", "&#127;", "&#x80;", "&#x9d;", "&#xfffe;", "&#xd800;", "&amp;#8;", "&#x2028;"),
            *(
                "<",
                "</p>",
                "<p title='",
                "<!--",
                "<![CDATA[",
                "<title>",
                "</script>",
                '<a href="&#8;/\x01">',
                "<img alt=&#8;>",
            ),
            *('<meta charset="utf-7">', '<meta charset="iso-2022-jp">', "\x1b$B", "â\x80\x99", "\r", "\n\n"),
        ]
    ),
)
TEXTS = st.lists(st.one_of(ODD, st.just(SENTENCE)), max_size=12).map("".join)
PAGE = """<html><head><title>{0}</title><meta name=author content='{1}'><meta property='og:site_name' content='{1}'>
<base href='https://example{1}.com/{1}/'></head><body><article><h1>{0}</h1><p>{3}{2}{3}</p><pre>{2}</pre>
<p>{3}<a href='{1}'>{2}</a></p><img src='{1}' alt='{1}'>
<table><tr><td><p>{1}</p><p>{2}</p><td><b>{1}</b>{3}</table><p>{3}</article>"""
PAGES = st.builds(PAGE.format, TEXTS, ODD, TEXTS, st.just(SENTENCE * 2))
BODIES = st.one_of(
    st.binary(max_size=400),
    st.builds(lambda text, charset: text.encode(charset, "replace"), TEXTS, st.sampled_from(CHARSETS)),
    st.builds(lambda text, charset: text.encode(charset, "replace"), PAGES, st.sampled_from(CHARSETS)),
)
MEDIA_TYPES = st.sampled_from(
    ["text/plain", "text/html", "text/html; charset=gbk", "text/plain; charset=utf-16", "application/xhtml+xml"]
)
URLS = st.one_of(
    st.text(max_size=60),
    st.builds(
        "{}://{}{}{}".format,
        st.sampled_from(["http", "https", "HTTP", "ftp", " https"]),
        st.one_of(st.sampled_from(["example.com", "127.0.0.1", "[::1]", "1", "bücher.example", "a..b", "u:p@h"]), ODD),
        st.sampled_from(["", "/", ":80/", ":0", ":99999", "\\a", "/%"]),
        ODD,
    ),
)


@dataclass(frozen=True, slots=True)
class Deployment:
    """The application, and the worker that consumes its jobs; `runner` has the event loop of both."""

    runner: asyncio.Runner
    client: TestClient[Request, Application]
    broker: MemoryBroker
    worker: Worker

    def post(self, body: bytes, media_type: str, path: str = "/v1/documents") -> Article | str | None:
        """Returns the article, the reason of the failure, or None if the answer is a proper refusal."""
        return self.runner.run(self._post(body, media_type, path))

    async def _post(self, body: bytes, media_type: str, path: str) -> Article | str | None:
        url = URL(path, encoded=True)
        async with self.client.post(url, data=body, headers={"Content-Type": media_type}) as response:
            answer = await response.json(content_type=None)
            if response.status != 202:
                assert 400 <= response.status < 500
                assert answer["errors"]
                for error in answer["errors"]:
                    assert set(error) == {"field", "rule", "message"}
                    assert all(error.values())
                return None
        verdict = await self.worker.handle(Delivery(body=encode(self.broker.jobs.pop()), message_id=answer["id"]))
        match verdict:
            case Publish(ProcessedEvent() as event):
                return event.data
            case Publish(FailedEvent() as event) | Bury(FailedEvent() as event, _):
                assert not controls_in(event)
                return str(event.data.reason)
        raise AssertionError(verdict)


class Here:
    """Edits in this process."""

    async def run(self, document: RawDocument, *, fresh: bool = False) -> Article:  # noqa: ARG002 - no child to be fresh
        return extract_article(document)


async def open_client(broker: MemoryBroker, metrics: Metrics) -> TestClient[Request, Application]:
    app = build_app(
        broker=broker,
        keys=ApiKeys(),
        hosts=Hosts(),
        limits=IntakeLimits(),
        metrics=metrics,
        clock=lambda: datetime.now(UTC),
        decode=decode,
    )
    client = TestClient(TestServer(app))
    await client.start_server()
    return client


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    metrics, broker, limits = Metrics(CollectorRegistry()), MemoryBroker(), FetchLimits()
    (port,) = free_ports(1)
    with asyncio.Runner() as runner:
        # No proxy and no name server listens there.
        reach = Reach(proxy=URL(f"http://127.0.0.1:{port}"), nameservers=(f"127.0.0.1:{port}",))

        async def opened() -> tuple[TestClient[Request, Application], GuardedClient]:
            guarded = GuardedClient(limits, reach)
            return await open_client(broker, metrics), await guarded.__aenter__()

        client, guarded = runner.run(opened())
        worker = Worker(
            fetcher=Fetcher(guarded, limits, metrics),
            parser=Here(),
            metrics=metrics,
            clock=lambda: datetime.now(UTC),
            limits=WorkerLimits(retry=RetryPolicy(delays_s=(), hostile_attempts=1)),
        )
        yield Deployment(runner, client, broker, worker)
        runner.run(client.close())
        runner.run(guarded.__aexit__(None, None, None))


def controls_in(event: object) -> list[str]:
    """Returns the strings of an encoded event or article that hold control characters."""
    return [value for value in strings(orjson.loads(encode(event))) if CONTROL.search(value)]


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from strings(entry)
    elif isinstance(value, dict):
        yield from strings([*value.keys(), *value.values()])


def check(outcome: Article | str | None) -> None:
    if isinstance(outcome, Article):
        assert outcome.text
        assert controls_in(outcome) == []
    elif outcome is not None:
        assert outcome != "internal_error"


ROUGHLY = settings(
    max_examples=ROUNDS,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@ROUGHLY
@given(body=BODIES, media_type=MEDIA_TYPES)
@example(body=b"", media_type="text/plain")
@example(body=bytes(range(256)) * 4, media_type="text/html")
def test_any_bytes(deployment: Deployment, body: bytes, media_type: str) -> None:
    check(deployment.post(body, media_type, f"/v1/documents?{EVERYTHING}"))


@ROUGHLY
@given(content=st.one_of(TEXTS, PAGES), kind=st.sampled_from(["text", "html"]), title=ODD, url=URLS)
def test_any_characters(deployment: Deployment, content: str, kind: str, title: str, url: str) -> None:
    fields = {
        kind: content,
        "url": url,
        "metadata": {"title": title, "authors": [title], "site_name": title} if title.strip() else {},
        "options": {"formats": list(Format), "include": list(Part)},
    }
    check(deployment.post(json.dumps(fields).encode(), "application/json"))


@ROUGHLY
@given(url=URLS)
def test_any_url(deployment: Deployment, url: str) -> None:
    outcome = deployment.post(json.dumps({"url": url}).encode(), "application/json")
    assert not isinstance(outcome, Article)
    check(outcome)


def test_valid_documents_become_articles(deployment: Deployment) -> None:
    page = f"<title>Ferry</title><article><h1>Ferry\x08 landing</h1><p>{SENTENCE * 4}</article>"
    outcome = deployment.post(page.encode("utf-16"), "text/html", f"/v1/documents?{EVERYTHING}")
    assert isinstance(outcome, Article)
    assert outcome.provenance.charset == "utf-16le"
    assert outcome.markdown is not None
    assert outcome.html is not None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://example.com/", "dns_error"),
        ("http://8.8.8.8/", "connect_error"),
        ("http://127.0.0.1/", "blocked_address"),
        ("http://1/", "blocked_address"),
    ],
)
def test_a_failed_fetch_has_a_reason(deployment: Deployment, url: str, reason: str) -> None:
    assert deployment.post(json.dumps({"url": url}).encode(), "application/json") == reason
