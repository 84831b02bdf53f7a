"""`submit`: posts files, URLs or standard input to a server."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import orjson
import typer

from contract.binary import file_kind
from contract.job import Kind, Lane
from contract.options import Focus, Format, OnDuplicate, Part
from runtime.cli import checks, streams
from runtime.cli.exits import Exit
from runtime.cli.options import DEFAULT_URL, TARGETS, ApiKey, AsJson, Url
from runtime.cli.retrier import DEFAULT_PATIENCE_S, Exhausted, Refused, Unavailable, duration
from runtime.cli.submit_report import SubmitReport
from runtime.errors import StartError

if TYPE_CHECKING:
    from runtime.cli.client import Client, PostBody, Receipt
    from runtime.cli.documents import Named

_AT_ONCE = 8  # requests in flight; chosen: enough to hide the latency of confirms, and few for a server
_MEDIA_TYPES = {Kind.TEXT: "text/plain", Kind.HTML: "text/html"}

Targets = Annotated[list[str], TARGETS]
LaneOption = Annotated[
    Lane | None,
    typer.Option(help="Queue for the documents.", show_default="interactive for one document, bulk for several"),
]
Labels = Annotated[
    list[str] | None,
    typer.Option("--label", parser=checks.label, metavar="KEY=VALUE", help="Label to copy to the event. Repeatable."),
]
Formats = Annotated[
    list[Format] | None,
    typer.Option("--format", help="Additional form of the article. Repeatable.", show_default="text"),
]
Parts = Annotated[
    list[Part] | None,
    typer.Option("--include", help="Part of the page to include. Repeatable.", show_default="tables and links"),
]
FocusOption = Annotated[
    Focus, typer.Option(help="Prefer too little text (precision) or too much (recall) where the extraction is unsure.")
]
KeepAll = Annotated[bool, typer.Option("--keep-all", help="Remove nothing from pasted text.")]
OnDuplicateOption = Annotated[
    OnDuplicate | None,
    typer.Option(help="Publish or drop an article that is a duplicate of an earlier one.", show_default="publish"),
]
CallbackUrl = Annotated[
    str | None,
    typer.Option("--callback-url", metavar="URL", help="Where the event of each document is posted to, too."),
]
Origin = Annotated[str | None, typer.Option(help="URL that the file or standard input came from.")]
PatienceOption = Annotated[
    float,
    typer.Option(
        "--patience",
        envvar="COPYDESK_PATIENCE",
        min=0,
        metavar="SECONDS",
        help="How long to retry while the server is unavailable. Each success restarts this time.",
    ),
]
BatchOption = Annotated[
    str | None,
    typer.Option(
        "--batch",
        parser=checks.batch,
        metavar="NAME",
        help="Batch that the documents belong to. It is closed when all are sent.",
    ),
]
Again = Annotated[
    bool, typer.Option("--again", help="Post documents as new even if they were posted before, such as changed pages.")
]


def register(app: typer.Typer) -> None:
    """Adds the command of this module to `app`."""
    app.command()(submit)


def submit(
    targets: Targets,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
    lane: LaneOption = None,
    label: Labels = None,
    origin: Origin = None,
    formats: Formats = None,
    include: Parts = None,
    focus: FocusOption = Focus.BALANCED,
    keep_all: KeepAll = False,
    on_duplicate: OnDuplicateOption = None,
    callback_url: CallbackUrl = None,
    patience: PatienceOption = DEFAULT_PATIENCE_S,
    batch: BatchOption = None,
    again: Again = False,
    as_json: AsJson = False,
) -> None:
    """Submit documents, several at once, and print a receipt for each: accepted, id, lane and name.

    After an outage or Ctrl-C, run the same command again: a file with the same path and content, or a URL, gets the
    same id if the options are the same, and counts once. The last line counts the accepted, refused and unsent ones.
    With --batch, another line after it has the batch's id.
    """
    from runtime.cli.documents import named

    if origin and len(targets) > 1:
        raise StartError("--origin is for a single document")
    lane = lane or (Lane.BULK if len(targets) > 1 else Lane.INTERACTIVE)
    chosen = {"formats": formats, "include": include, "on_duplicate": on_duplicate, "callback_url": callback_url}
    given = {name: value for name, value in chosen.items() if value}
    extras = _Extras(
        labels=dict(pair.split("=", 1) for pair in label or []),
        options={"focus": focus, "keep_all": keep_all, **given},
        lane=lane,
        batch=batch,
    )
    salt = uuid4().hex if again else ""
    documents = [_document(target, named(target, origin), extras, salt) for target in targets]
    server, report = _Server(url, api_key, patience), SubmitReport(len(documents), as_json=as_json)
    outcome = asyncio.run(_submit_all(documents, server, extras.params, report))
    raise typer.Exit(outcome)


@dataclass(frozen=True, slots=True)
class _Extras:
    """The options of the command line, which apply to every document."""

    labels: dict[str, str]
    options: dict[str, Any]
    lane: Lane
    batch: str | None

    @property
    def params(self) -> dict[str, str]:
        """What the query says of documents of all kinds."""
        return {} if self.batch is None else {"batch": self.batch}


@dataclass(frozen=True, slots=True)
class _Document:
    """A document to post, its name in receipts, and its idempotency key.

    `line` is the document as one of many; None if it has to be posted alone.
    """

    name: str
    post: "PostBody"
    key: str
    line: bytes | None


def _document(target: str, document: "Named", extras: _Extras, salt: str) -> _Document:
    """Returns the document of `target`. Its idempotency key covers everything that makes it a different document.

    The lane is left out: its default depends on the number of documents, and a batch that is resumed has fewer.
    """
    is_file = target != "-" and document.body is not None
    place = str(Path(target).resolve()) if is_file else target
    content = sha256(document.body or b"").hexdigest()
    known = [place, salt, document.kind, document.url, content, extras.labels, extras.options, *extras.params.values()]
    key = sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()  # orjson refuses names that are not UTF-8
    post = _json(document, extras) if document.body is None else _raw(document, extras)
    return _Document(target, post, f"submit-{key}", _line(document, extras, f"submit-{key}"))


def _line(document: "Named", extras: _Extras, key: str) -> bytes | None:
    """Returns the document as a line. Of a file the text is decoded as the server would. Other files have no line."""
    fields = _fields(document, extras) | {"idempotency_key": key}
    if document.body is not None:
        if file_kind(document.body):
            return None  # the server refuses it, and says why
        from workers.decode import decode

        decoded = decode(document.body, None)
        how = {"charset": decoded.charset, "source": decoded.source}
        fields |= {document.kind.value: decoded.text, "decoded": how}
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)


def _fields(document: "Named", extras: _Extras) -> dict[str, Any]:
    options = extras.options | {"lane": extras.lane}
    return {"labels": extras.labels, "options": options} | ({"url": document.url} if document.url else {})


def _json(document: "Named", extras: _Extras) -> "PostBody":
    from runtime.cli.client import PostBody

    return PostBody(orjson.dumps(_fields(document, extras)), "application/json", extras.params)


def _raw(document: "Named", extras: _Extras) -> "PostBody":
    """Returns the request with a file's unchanged bytes: the server detects the charset, and the event reports it."""
    params = extras.params | {name: _parameter(value) for name, value in extras.options.items()}
    params |= {f"labels.{name}": value for name, value in extras.labels.items()}
    params |= {"lane": extras.lane} | ({"url": document.url} if document.url else {})
    from runtime.cli.client import PostBody

    return PostBody(document.body or b"", _MEDIA_TYPES[document.kind], params)


def _parameter(value: object) -> str:
    if isinstance(value, list):
        return ",".join(value)
    return str(value).lower()


@dataclass(frozen=True, slots=True)
class _Server:
    """Where the documents go, and how long to retry while it is unavailable."""

    url: str
    api_key: str | None
    patience_s: float


async def _submit_all(
    documents: Sequence[_Document], server: _Server, params: Mapping[str, str], report: SubmitReport
) -> Exit:
    from runtime.cli.client import connect

    places = asyncio.Semaphore(_AT_ONCE)
    is_single = len(documents) == 1
    together = [document for document in documents if document.line is not None and not is_single]
    alone = [document for document in documents if document.line is None or is_single]

    async def one(client: "Client", document: _Document) -> None:
        async with places:
            try:
                report.accepted(document.name, await client.submit(document.post, document.key))
            except Refused as refusal:
                report.refused(document.name, str(refusal))

    async def many(client: "Client") -> None:
        unanswered = dict(enumerate(document.name for document in together))

        def answered(place: int, outcome: "Receipt | Refused") -> None:
            report.answered(unanswered.pop(place), outcome)

        try:
            await client.submit_lines([document.line for document in together if document.line], params, answered)
        except Refused as refusal:  # of the request as a whole
            for name in unanswered.values():
                report.refused(name, str(refusal))

    outcome = Exit.OK
    try:
        with report.progress():
            async with connect(server.url, server.api_key, server.patience_s) as client:
                async with asyncio.TaskGroup() as group:
                    if together:
                        group.create_task(many(client))
                    for document in alone:
                        group.create_task(one(client, document))
                await _close(client, report)
    except* Unavailable as lost:
        streams.tell(f"copydesk: {lost.exceptions[0]}; {_given_up(lost.exceptions[0], server.patience_s)}")
        outcome = Exit.UNREACHABLE
    finally:  # after Ctrl-C, too
        report.sum_up()
    return max(outcome, Exit.SOME_FAILED if report.refusals or report.is_open else Exit.OK)


async def _close(client: "Client", report: SubmitReport) -> None:
    """Closes the batch of the documents, if they have one and any was accepted."""
    if report.batch is None:
        return
    try:
        await client.close_batch(report.batch)
        report.is_closed = True
    except Refused as refusal:
        streams.tell(f"copydesk: the batch cannot be closed: {refusal}")


def _given_up(lost: Exception, patience_s: float) -> str:
    if isinstance(lost, Exhausted) and lost.retry_after_s is not None:
        return f"it may post again in {duration(lost.retry_after_s)}, later than --patience allows"
    return f"given up after {duration(patience_s)}"
