"""Clients that post documents, retry as the API says, and remember the accepted ids."""

import asyncio
import io
import json
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import aiohttp

from tests.rabbit_node import RabbitNode

AT_ONCE = 16
PAUSE_S = 0.2
ANSWERED_WITHIN = aiohttp.ClientTimeout(10)

Submission = dict[str, Any]


def tiny(number: int, lane: str = "bulk") -> Submission:
    """Returns a small, unique document."""
    text = (
        f"Harbour council votes on landing {number}\n\n"
        f"The harbour council voted on Tuesday evening to move landing number {number} two hundred metres up the "
        "coast, after the second flood in a year left the old pier under water for most of a week.\n"
    )
    return {"text": text, "options": {"lane": lane}}


def tiny_ones(count: int, lane: str = "bulk") -> list[Submission]:
    return [tiny(number, lane) for number in range(count)]


@dataclass
class Client:
    """Posts to `api` until each document is accepted. Repeats have the same Idempotency-Key.

    `pause_s` is how long to wait after a refusal: the API's Retry-After is noted, but a test has less time.
    """

    api: Callable[[], str]
    accepted: set[str] = field(default_factory=set)
    answers: Counter[int] = field(default_factory=Counter)
    retry_after: set[str | None] = field(default_factory=set)
    slowest_s: float = 0.0
    _progress: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def post_all(self, submissions: Sequence[Submission], *, over_s: float = 0.0) -> None:
        """Posts evenly over `over_s` seconds, or as fast as they are accepted, and returns when all are."""
        places, pause_s = asyncio.Semaphore(AT_ONCE), over_s / max(1, len(submissions))
        async with (
            aiohttp.ClientSession(timeout=ANSWERED_WITHIN) as http,
            asyncio.TaskGroup() as group,
        ):
            for submission in submissions:
                await places.acquire()
                task = group.create_task(self.post(http, submission))
                task.add_done_callback(lambda _: places.release())
                await asyncio.sleep(pause_s)

    async def post(self, http: aiohttp.ClientSession, submission: Submission) -> str:
        """Returns the id once the document is accepted."""
        key = uuid4().hex
        while (document_id := await self._try(http, submission, key)) is None:  # noqa: ASYNC110 - as clients do
            await asyncio.sleep(PAUSE_S)
        async with self._progress:
            self.accepted.add(document_id)
            self._progress.notify_all()
        return document_id

    async def until_accepted(self, count: int) -> None:
        async with self._progress:
            await self._progress.wait_for(lambda: len(self.accepted) >= count)

    async def until_more(self, count: int) -> None:
        """Returns when `count` more documents are accepted than now."""
        await self.until_accepted(len(self.accepted) + count)

    async def until_refused(self, count: int) -> None:
        """Returns when `count` more posts were refused than now."""
        goal = self.answers[503] + count
        while self.answers[503] < goal:  # noqa: ASYNC110 - a counter
            await asyncio.sleep(0.05)

    async def _try(self, http: aiohttp.ClientSession, submission: Submission, key: str) -> str | None:
        began = time.monotonic()
        try:
            url, headers = f"{self.api()}/v1/documents", {"Idempotency-Key": key}
            async with http.post(url, json=submission, headers=headers) as response:
                self.answers[response.status] += 1
                self.slowest_s = max(self.slowest_s, time.monotonic() - began)
                if response.status == 202:
                    return str((await response.json())["id"])
                assert response.status in {429, 503}, await response.text()
                self.retry_after.add(response.headers.get("Retry-After"))
        except (aiohttp.ClientError, TimeoutError):
            self.answers[0] += 1  # no answer at all
        return None


@dataclass
class BatchClient(Client):
    """Posts all documents in one request, and the whole batch again until each line has its receipt."""

    key: str = field(default_factory=lambda: uuid4().hex)
    broken_off: int = 0
    receipts: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))

    async def post_batch(self, submissions: Sequence[Submission]) -> None:
        """Returns when every line has a receipt. `receipts` are the ids that each line was ever given."""
        body = b"".join(json.dumps(submission).encode() + b"\n" for submission in submissions)
        headers = {"Idempotency-Key": self.key, "Content-Type": "application/x-ndjson"}
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(sock_read=30)) as http:
            while not await self._try_batch(http, body, headers, len(submissions)):  # noqa: ASYNC110 - as clients do
                await asyncio.sleep(PAUSE_S)

    async def _try_batch(self, http: aiohttp.ClientSession, body: bytes, headers: dict[str, str], count: int) -> bool:
        answered = 0
        try:
            async with http.post(f"{self.api()}/v1/documents", data=io.BytesIO(body), headers=headers) as response:
                async for line in response.content:
                    answered += await self._note(json.loads(line))
        except aiohttp.ClientError:
            self.broken_off += 1
        return answered == count

    async def _note(self, receipt: dict[str, Any]) -> bool:
        self.answers[receipt["status"]] += 1
        if receipt["status"] != HTTPStatus.ACCEPTED:
            return False
        self.receipts[receipt["line"]].add(receipt["id"])
        async with self._progress:
            self.accepted.add(receipt["id"])
            self._progress.notify_all()
        return True


async def recovery_s(client: Client, decided: Callable[[set[str]], Any]) -> float:
    """Returns the seconds until a document that is posted now, on the fast lane, is accepted and decided."""
    began = time.monotonic()
    async with aiohttp.ClientSession() as http:
        document_id = await client.post(http, tiny(-1, "interactive"))
    await decided({document_id})
    return time.monotonic() - began


@asynccontextmanager
async def within(seconds: float, client: Client, node: RabbitNode | None = None) -> AsyncIterator[None]:
    """Cancels calls that take longer, and prints the answers that the client got and the queues of `node`."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        print(f"{len(client.accepted)} accepted; answers by status: {dict(client.answers)}")  # noqa: T201 - for pytest
        if node is not None:
            columns = ("messages_ready", "messages_unacknowledged", "consumers")
            print(*await asyncio.to_thread(node.queues, *columns), sep="\n")  # noqa: T201
        raise
