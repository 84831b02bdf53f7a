"""The client of one Copydesk server."""

import asyncio
import mimetypes
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlsplit
from uuid import uuid4

import aiohttp

from copydesk_client.bulk import Bulk, Outcome
from copydesk_client.events import Verdict
from copydesk_client.http import Http, body_of
from copydesk_client.problems import Missing, TakesTooLong
from copydesk_client.retries import repeated
from copydesk_client.schemas import BatchState, DocumentState, Receipt, Submission, SubmittedOptions
from copydesk_client.source import Documents, Source
from copydesk_client.subscription import Delivery, Seen, Subscription
from copydesk_client.waits import Deadline

DEFAULT_PATIENCE_S = 300.0  # as `copydesk submit` has it: enough for the restart of a broker or the move of a pod
_WAIT_S = 25  # what is asked at once; chosen: below the 30 s that a server waits at most, and below proxies' 60 s
# docs/api.md: the recorder is a second behind, and until then an id may be unknown. Chosen: ten times that.
_RECORDED_S = 10.0
_MEDIA_TYPES = {".md": "text/markdown", ".markdown": "text/markdown", ".xhtml": "application/xhtml+xml"}

Params = dict[str, str]


class Client:
    """Posts documents, waits for them, looks them up and reads events. Made by `connect`.

    A call that fails because the server is away or busy is repeated, as `Retry-After` says. After `patience_s` seconds
    of failures it raises `Unreachable` or `Busy`; `copydesk_client.problems` has all that calls raise. Posts are
    repeated under the same idempotency key, so a document is stored once.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str, patience_s: float) -> None:
        self._http = Http(session, url)
        self._patience_s = patience_s

    async def submit(self, document: Submission, *, key: str | None = None, batch: str | None = None) -> Receipt:
        """Posts a document, and returns its receipt when it is stored.

        Args:
            document: text, HTML or a URL, as in `{"url": "https://example.com/"}`.
            key: the idempotency key. The same document under the same key gets the same id. Without one it is new.
            batch: the name of the batch that it belongs to.
        """
        receipt: Receipt = await self._post({"json": document}, key, _params(batch=batch))
        return receipt

    async def submit_file(  # noqa: PLR0913 - all but the path are options
        self,
        path: Path | str,
        *,
        media_type: str | None = None,
        labels: Mapping[str, str] | None = None,
        options: SubmittedOptions | None = None,
        key: str | None = None,
        batch: str | None = None,
    ) -> Receipt:
        """Posts the bytes of a file with text, Markdown or HTML; the server finds out its charset.

        Args:
            path: of the file.
            media_type: by default that of the file's name, or `text/plain`.
            labels: copied to the event.
            options: as those of a document.
            key: as in `submit`.
            batch: as in `submit`.
        """
        params = _params(batch=batch) | {f"labels.{name}": value for name, value in (labels or {}).items()}
        kind = media_type or _media_type(Path(path))
        sent = {"data": await asyncio.to_thread(Path(path).read_bytes), "headers": {"Content-Type": kind}}
        receipt: Receipt = await self._post(sent, key, params | _in_query(options or {}))
        return receipt

    async def process(self, document: Submission, *, timeout_s: float = 120, key: str | None = None) -> Verdict:
        """Posts a document, and returns its event when it is decided. A failed document is an event, too.

        Raises:
            TakesTooLong: it is stored, but not decided within `timeout_s` seconds.
        """
        deadline = Deadline(timeout_s)
        headers = {"Idempotency-Key": _given(key), "Prefer": f"wait={deadline.whole_s(_WAIT_S)}"}

        async def once() -> Any:  # noqa: ANN401 - JSON
            async with self._http.opened("POST", "/v1/documents", json=document, headers=headers) as response:
                return response.status, await body_of(response)

        status, answer = await repeated(once, self._patience_s)
        if status == HTTPStatus.OK:
            verdict: Verdict = answer
            return verdict
        return await self._waited(answer["id"], None, deadline)

    async def wait(self, document_id: str, *, timeout_s: float = 120, run: int | None = None) -> Verdict:
        """Returns the event of a document when it is decided. The server needs a ledger.

        Raises:
            TakesTooLong: it is not decided within `timeout_s` seconds.
            Missing: there is no such document.
            Erased: it was erased.
        """
        return await self._waited(document_id, run, Deadline(timeout_s))

    async def _waited(self, document_id: str, run: int | None, deadline: Deadline) -> Verdict:
        params = _params(format="event", run=run)

        async def once() -> Any:  # noqa: ANN401 - JSON
            headers = {"Prefer": f"wait={deadline.whole_s(_WAIT_S)}"}
            path = f"/v1/documents/{_segment(document_id)}"
            async with self._http.opened("GET", path, params=params, headers=headers) as response:
                pause_s = float(response.headers.get("Retry-After", "1"))
                return response.status, await body_of(response), pause_s

        while True:
            missing: Missing | None = None
            try:
                status, answer, pause_s = await repeated(once, self._patience_s)
            except Missing as error:
                if error.slug != "not-found" or deadline.elapsed_s > _RECORDED_S:
                    raise
                missing, status, answer, pause_s = error, 0, None, 1.0
            if status == HTTPStatus.OK:
                verdict: Verdict = answer
                return verdict
            if not await deadline.pause(pause_s):
                raise missing or TakesTooLong(document_id)

    async def bulk(
        self, documents: Documents, *, key: str | None = None, batch: str | None = None
    ) -> AsyncGenerator[tuple[int, Outcome], None]:
        """Posts many documents in one request, and yields each one's number and its receipt as it is stored.

        A document that is refused yields the `Problem` in place of a receipt; the others go on. After a break-off the
        documents without a receipt are sent again, with the same ids.

        Args:
            documents: read as they are sent. What reading them raises comes out here, after the receipts before it.
            key: with the same key and documents you can run a bulk again: what was stored is not stored twice.
            batch: the name of the batch that they belong to. Close it with `close_batch`.
        """
        headers = {"Idempotency-Key": _given(key)}
        async with Source(documents) as source:
            outcomes = Bulk(source).outcomes(self._http, headers, _params(batch=batch), self._patience_s)
            async with aclosing(outcomes):
                async for outcome in outcomes:
                    yield outcome

    async def close_batch(self, batch_id: str) -> None:
        """Closes a batch, the id of which is in its receipts: no further documents follow."""
        await self._ask("POST", f"/v1/batches/{_segment(batch_id)}/close")

    async def batch(self, batch_id: str) -> BatchState:
        """Returns how far a batch is."""
        state: BatchState = await self._ask("GET", f"/v1/batches/{_segment(batch_id)}")
        return state

    async def look_up(self, document_id: str) -> DocumentState:
        """Returns the state of a document and all its runs.

        Raises:
            Missing: there is no such document. Erased: it was erased.
        """
        state: DocumentState = await self._ask("GET", f"/v1/documents/{_segment(document_id)}")
        return state

    async def documents(
        self, *, labels: Mapping[str, str] | None = None, **chosen: str
    ) -> AsyncIterator[DocumentState]:
        """Yields the documents that are chosen, newest first: `state="failed"`, `q="ferry"`, as docs/api.md says."""
        params: list[tuple[str, str]] = [*chosen.items()]
        params += [("label", f"{name}:{value}") for name, value in (labels or {}).items()]
        cursor: Params = {}
        while True:
            page = await self._ask("GET", "/v1/documents", params=[*params, *cursor.items()])
            for state in page["documents"]:
                yield state
            if page["next"] is None:
                return
            cursor = {"cursor": page["next"]}

    async def subscribe(  # noqa: PLR0913 - all are options
        self,
        *,
        patterns: Sequence[str] = (),
        filter: str | None = None,  # noqa: A002 - as the API names it
        after: int | Literal["oldest"] | None = None,
        last: int | None = None,
        consumer: str | None = None,
        follow: bool = True,
        seen: Seen | None = None,
    ) -> AsyncGenerator[Delivery, None]:
        """Yields the events that are chosen, each once, from now on. A stream that breaks off is opened again there.

        Args:
            patterns: of routing keys, as `processed.en.#`.
            filter: an expression, as `language = en and has title` (docs/subscribing.md).
            after: begin behind this offset, or with the oldest event.
            last: begin with so many events of the past.
            consumer: the name under which the server keeps your place: call `commit` when your work is stored.
            follow: False ends with the newest event of now.
            seen: the ids that are known already. By default those of this subscription.

        Raises:
            StreamEnded: for good, as when another subscription reads for the same consumer.
            PositionGone: the log no longer has events that you did not read.
        """
        params = [("pattern", pattern) for pattern in patterns]
        chosen = _params(filter=filter, after=after, last=last, consumer=consumer, follow=None if follow else "false")
        subscription = Subscription(self._http, [*params, *chosen.items()], {}, Seen() if seen is None else seen)
        async with aclosing(subscription.deliveries(self._patience_s)) as deliveries:
            async for delivery in deliveries:
                yield delivery

    async def commit(self, consumer: str, offset: int) -> None:
        """Says that a named consumer is done with all events up to `offset`."""
        await self._ask("POST", f"/v1/consumers/{_segment(consumer)}/commit", json={"offset": offset})

    async def _ask(self, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401 - as aiohttp has it; JSON
        return await repeated(lambda: self._http.json(method, path, **options), self._patience_s)

    async def _post(self, sent: Mapping[str, Any], key: str | None, params: Params) -> Any:  # noqa: ANN401 - JSON
        headers = {**sent.get("headers", {}), "Idempotency-Key": _given(key)}
        return await self._ask("POST", "/v1/documents", **{**sent, "headers": headers, "params": params})


@asynccontextmanager
async def connect(
    url: str, *, api_key: str | None = None, patience_s: float = DEFAULT_PATIENCE_S
) -> AsyncIterator[Client]:
    """Yields the client of the server at `url`. It connects at its first call, and is of use until the context ends.

    Args:
        url: as `http://127.0.0.1:8080`.
        api_key: the secret, where the server has API keys.
        patience_s: for how long a call is repeated while the server is away or busy.

    Raises:
        ValueError: `url` is no HTTP URL with a host.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("the URL of a server begins with http:// or https://, and its host follows")
    headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        yield Client(session, url, patience_s)


def _given(key: str | None) -> str:
    """Returns the idempotency key, or a new one where none is given. The server refuses an empty one."""
    return str(uuid4()) if key is None else key


def _segment(name: str) -> str:
    """Returns an id or a name as one segment of a path.

    Raises:
        ValueError: it can be none.
    """
    if name in {"", ".", ".."}:
        raise ValueError(f"{name!r} is no id")
    return quote(name, safe="")


def _params(**values: str | int | None) -> Params:
    """Returns the parameters that are given."""
    return {name: str(value) for name, value in values.items() if value is not None}


def _media_type(path: Path) -> str:
    guessed = mimetypes.guess_type(path.name)[0]
    return _MEDIA_TYPES.get(path.suffix.lower()) or guessed or "text/plain"


def _in_query(options: SubmittedOptions) -> Params:
    """Returns options as the query of a raw body has them."""
    return {name: _word(value) for name, value in options.items() if value is not None}


def _word(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, Iterable) and not isinstance(value, str) else str(value)
