"""Many documents in one request, each a file of a form."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from aiohttp import ClientResponse

from contract.broker import BrokerUnavailable
from contract.ids import line_id
from contract.job import Kind, Lane
from tests.service.conftest import RunningApi, StartApi, problem

FORM = "multipart/form-data; boundary=cut"
END = b"--cut--\r\n"


def part(body: bytes | str, filename: str | None = "file", media_type: str | None = None) -> bytes:
    named = "" if filename is None else f'; filename="{filename}"'
    head = f'--cut\r\nContent-Disposition: form-data; name="file"{named}\r\n'
    head += "" if media_type is None else f"Content-Type: {media_type}\r\n"
    return head.encode() + b"\r\n" + (body.encode() if isinstance(body, str) else body) + b"\r\n"


async def post(api: RunningApi, body: bytes | AsyncIterator[bytes], query: str = "", **headers: str) -> ClientResponse:
    named = {"Content-Type": FORM} | {name.replace("_", "-"): value for name, value in headers.items()}
    return await api.client.post(f"/v1/documents{query}", data=body, headers=named)


async def answers(response: ClientResponse) -> list[dict[str, Any]]:
    assert (response.status, response.content_type) == (200, "application/x-ndjson"), await response.text()
    return [json.loads(one) for one in (await response.text()).splitlines()]


def in_short(answers: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Returns number and status of each, and for problems the slug and the first rule."""
    return [
        (one["part"], one["status"])
        if one["status"] == 202
        else (one["part"], one["status"], one["type"].removeprefix("/problems/"), *(e["rule"] for e in one["errors"]))
        for one in answers
    ]


async def test_each_file_is_a_document(api: RunningApi) -> None:
    body = part("<p>Copy</p>", "a.html") + part("Plain", "b.txt") + END
    found = await answers(await post(api, body))
    assert [(one["part"], one["name"], one["lane"], one["status"]) for one in found] == [
        (1, "a.html", "bulk", 202),
        (2, "b.txt", "bulk", 202),
    ]
    stored = {job.id: (job.kind, job.content) for job in api.broker.jobs}
    assert [stored[one["id"]] for one in found] == [(Kind.HTML, "<p>Copy</p>"), (Kind.TEXT, "Plain")]


@pytest.mark.parametrize(
    ("body", "filename", "media_type", "kind"),
    [
        ("Copy", "file", "text/html; charset=utf-8", Kind.HTML),
        ("<p>Copy", "page.html", "text/plain", Kind.TEXT),  # the header goes first
        ("Copy", "PAGE.HTM", None, Kind.HTML),
        ("Copy", "page.xhtml", "application/octet-stream", Kind.HTML),
        ("<html>", "notes.md", "application/octet-stream", Kind.TEXT),
        ("<!DOCTYPE html><p>Copy", "file", None, Kind.HTML),
        ("\ufeff\n <HTML lang=en>", "file", "application/octet-stream", Kind.HTML),
        ("<!-- a --><p>Copy", "", None, Kind.HTML),
        ("<htmlish words", "file", None, Kind.TEXT),
        ("2 < 3", "file.unknown", None, Kind.TEXT),
        ("Copy", None, "text/html", Kind.HTML),
    ],
)
async def test_the_type_follows_from_the_header_then_the_name_then_the_first_bytes(
    api: RunningApi, body: str, filename: str | None, media_type: str | None, kind: Kind
) -> None:
    assert in_short(await answers(await post(api, part(body, filename, media_type) + END))) == [(1, 202)]
    assert [job.kind for job in api.broker.jobs] == [kind]


async def test_the_charset_of_each_file_is_determined_as_that_of_a_raw_body(api: RunningApi) -> None:
    body = part("Grüße".encode("utf-16"), "a.txt") + part(
        "Grüße".encode("latin-1"), "b.txt", "text/plain; charset=latin-1"
    )
    assert len(await answers(await post(api, body + END))) == 2
    assert {(job.content, job.charset, job.charset_source) for job in api.broker.jobs} == {
        ("Grüße", "utf-16le", "bom"),
        ("Grüße", "windows-1252", "http"),
    }


async def test_a_broken_part_spoils_no_other(api: RunningApi) -> None:
    body = b"".join(
        [
            part("First", "a.txt"),
            part("%PDF-1.7 secret", "b.pdf"),
            part("secret", "c.pdf", "application/pdf"),
            part("secret", filename=None),
            part("", "d.txt"),
            part("x" * 100_001, "e.txt"),
            part("Last\r\n--cu", "f.txt"),
            END,
        ]
    )
    response = await post(api, body)
    assert in_short(await answers(response)) == [
        (1, 202),
        (2, 415, "unsupported-media-type", "binary"),
        (3, 415, "unsupported-media-type", "media_type"),
        (4, 422, "invalid-submission", "form_field"),
        (5, 422, "invalid-submission", "empty"),
        (6, 413, "content-too-large", "too_large"),
        (7, 202),
    ]
    assert {job.content for job in api.broker.jobs} == {"First", "Last\r\n--cu"}
    assert "secret" not in await response.text()


async def test_options_and_labels_of_the_query_are_those_of_each_file(api: RunningApi) -> None:
    await answers(await post(api, part("a") + part("b") + END, "?lane=interactive&labels.desk=7"))
    assert [(job.lane, job.labels) for job in api.broker.jobs] == [(Lane.INTERACTIVE, {"desk": "7"})] * 2


@pytest.mark.parametrize(
    ("query", "headers", "expected"),
    [
        ("?lane=fast", {}, (422, "lane")),
        ("?labels.a=%00", {}, (422, "labels.a")),
        ("?url=https://example.org", {}, (400, "url")),
        ("", {"Idempotency-Key": "a b"}, (400, "Idempotency-Key")),
        ("", {"Content-Type": "multipart/form-data"}, (400, "Content-Type")),
        ("", {"Content-Encoding": "br"}, (415, "Content-Encoding")),
    ],
)
async def test_wrong_queries_and_headers_are_refused_before_anything_is_read(
    api: RunningApi, query: str, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    response = await post(api, part("Copy") + END, query, **headers)
    assert (response.status, (await problem(response))["errors"][0]["field"]) == expected
    assert api.broker.jobs == []


async def test_the_ids_follow_from_key_and_part(api: RunningApi) -> None:
    found = await answers(await post(api, part("a") + part("b") + END, Idempotency_Key="form"))
    assert [one["id"] for one in found] == [line_id("anonymous", "form", 1), line_id("anonymous", "form", 2)]


async def test_a_receipt_comes_before_the_next_part(api: RunningApi) -> None:
    rest: asyncio.Queue[bytes] = asyncio.Queue()

    async def body() -> AsyncIterator[bytes]:
        yield part("First") + b"--cut\r\n"
        yield await rest.get()

    async with await post(api, body()) as response:
        assert json.loads(await response.content.readline())["part"] == 1
        rest.put_nowait(part("Second").removeprefix(b"--cut\r\n") + END)
        assert json.loads(await response.content.readline())["part"] == 2


@pytest.mark.parametrize(
    "body",
    [
        part("First") + part("Its end is missing"),
        part("First") + part("half")[:-9],
        part("First") + b"--cut\r\nno header\r\n\r\nbody\r\n" + END,
        part("First") + b"--cut\r\nX: " + b"x" * 100_000,
    ],
)
async def test_a_form_that_breaks_off_ends_the_answer(api: RunningApi, body: bytes) -> None:
    *stored, last = await answers(await post(api, body))
    assert in_short([last])[0][1:] == (400, "malformed-body", "framing")
    assert last["part"] == len(stored) + 1
    assert len(api.broker.jobs) == len(stored)


async def test_a_compressed_form_is_read(api: RunningApi) -> None:
    body = gzip.compress(part("a") + part("b") + END)
    assert in_short(await answers(await post(api, body, Content_Encoding="gzip"))) == [(1, 202), (2, 202)]


async def test_a_form_without_files_has_no_answers(api: RunningApi) -> None:
    assert await answers(await post(api, END)) == []


async def test_a_broker_that_does_not_come_back_ends_the_answer(start_api: StartApi) -> None:
    api = await start_api(limits={"bulk_max_wait_s": 0.1})
    api.broker.refusal = BrokerUnavailable("secret")
    found = await answers(await post(api, part("a", "a.txt") + END))
    assert [(one["name"], one["status"], one["retry_after"]) for one in found] == [("a.txt", 503, 5)]
