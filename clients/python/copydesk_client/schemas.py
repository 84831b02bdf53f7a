"""The types of what is posted and answered, and of events. Generated: `make schemas` writes it."""

from __future__ import annotations

from typing import Literal, NotRequired, TypeAlias, TypedDict


class BatchCounts(TypedDict):
    """
    How many documents a batch has, and how many of them are decided or erased.
    """

    accepted: int
    processed: int
    failed: int
    erased: int


class BatchDocuments(TypedDict):
    """
    The documents of a batch, by state. `waiting` are not decided yet.
    """

    accepted: int
    waiting: int
    processed: int
    failed: int
    erased: int


CharsetSource: TypeAlias = str


DeliveryState: TypeAlias = str


DisabledCause: TypeAlias = str


class DisabledWebhook(TypedDict):
    """
    The data of a webhook that Copydesk disabled: `cause` says why, `failing_since` since when nothing got through.

    Its URL is not here, because it may hold a secret.
    """

    id: str
    cause: DisabledCause
    failing_since: str | None


DuplicateKind: TypeAlias = str


class DuplicateOf(TypedDict):
    """
    The document that an article is a duplicate of, and the similarity of their texts in [0, 1]: see `similarity`.
    """

    id: str
    kind: DuplicateKind
    similarity: float


class Erasure(TypedDict):
    """
    The data of an erased document: only its id.
    """

    id: str


class FailedDocument(TypedDict):
    """
    A document of a batch that failed, its reason, and its URL if it has one.
    """

    id: str
    reason: str
    url: NotRequired[str | None]


class Fault(TypedDict):
    """
    One rule that a request breaks. `field` is a dotted path such as `labels.topic`; the value is never repeated.
    """

    field: str
    rule: str
    message: str


class Fetched(TypedDict):
    """
    How a URL was fetched, or how far a failed fetch came.

    `url` is the last one that was requested. `status` and `media_type` are those of its answer, None without an answer
    or a declared type. `redirects` are the URLs before it, pages that refresh to another included, and
    `redirect_statuses` their statuses. `size` counts the bytes of the last body after decompression,
    `transferred_bytes` as they were sent, as far as the body was read. `first_byte_s` is the time in seconds from the
    last request to the header of its answer, `total_s` the time of all requests, without waiting for the host.
    """

    url: str
    status: int | None
    media_type: str | None
    redirects: NotRequired[list[str]]
    redirect_statuses: NotRequired[list[int]]
    size: NotRequired[int]
    transferred_bytes: NotRequired[int]
    first_byte_s: NotRequired[float | None]
    total_s: NotRequired[float | None]


Flag: TypeAlias = str


Focus: TypeAlias = Literal["precision", "balanced", "recall"]


Format: TypeAlias = Literal["text", "markdown", "html"]


class Idempotency(TypedDict):
    """
    The body that came with the idempotency key of a document.

    `body_digest` is that of `body_digest`. `checked` is False if the ledger could not be asked whether the key had come
    with another body before.
    """

    body_digest: str
    checked: NotRequired[bool]


Kind: TypeAlias = str


Lane: TypeAlias = Literal["interactive", "bulk"]


OnDuplicate: TypeAlias = Literal["publish", "drop"]


PageKind: TypeAlias = str


Part: TypeAlias = Literal["comments", "tables", "images", "links"]


PasteKind: TypeAlias = str


class PlacedFault(TypedDict):
    """
    A fault within a value: `position` is that of its first character, from 1.
    """

    field: str
    rule: str
    message: str
    position: int


class Post(TypedDict):
    """
    A post of a thread, a question or an answer.

    `author` and `published` (ISO 8601) are None where the page does not state them. `accepted`: it is the answer that
    solved the question. `text` is as that of an article.
    """

    author: str | None
    published: str | None
    text: str
    accepted: NotRequired[bool]


ProblemDetails = TypedDict(
    "ProblemDetails",
    {
        "type": str,
        "title": str,
        "status": int,
        "detail": str,
        "errors": NotRequired[list[PlacedFault | Fault]],
        "violated-policies": NotRequired[list[str]],
    },
)


class Quality(TypedDict):
    """
    The estimated quality of the text.

    `confidence` in [0, 1] is the expected F1 of the text against the text that a person would choose, None if it is
    unknown. `kind` is that of a pasted text, `kind_confidence` in [0, 1] how sure it is; both are None for pages, which
    have `page_kind`.
    """

    confidence: NotRequired[float | None]
    flags: NotRequired[list[Flag]]
    kind: NotRequired[PasteKind | None]
    kind_confidence: NotRequired[float | None]


Reason: TypeAlias = str


class Receipt(TypedDict):
    """
    A document is stored. `warnings` say what of the request was left out; there are none where they are absent.

    `batch` is the id of its batch.
    """

    id: str
    lane: Lane
    warnings: NotRequired[list[Fault]]
    batch: NotRequired[str | None]


class Removed(TypedDict):
    """
    A piece of pasted text that is not in the article, and the rule that removed it.
    """

    text: str
    rule: str


Source: TypeAlias = str


State: TypeAlias = str


class SubmittedMetadata(TypedDict):
    """
    Metadata from the caller. It takes precedence over extracted metadata.
    """

    title: NotRequired[str | None]
    authors: NotRequired[list[str]]
    published: NotRequired[str | None]
    language: NotRequired[str | None]
    site_name: NotRequired[str | None]


class SubmittedOptions(TypedDict):
    """
    How to process the document. Without a lane the route chooses it; the rest is as in `contract.options`.

    `callback_url`: where its event is posted to when it is decided.
    """

    lane: NotRequired[Lane | None]
    formats: NotRequired[list[Format]]
    include: NotRequired[list[Part]]
    focus: NotRequired[Focus]
    keep_all: NotRequired[bool]
    on_duplicate: NotRequired[OnDuplicate]
    callback_url: NotRequired[str | None]


class TestedWebhook(TypedDict):
    """
    The data of a test: the webhook's id.
    """

    id: str


class WebhookDisabledEvent(TypedDict):
    """
    Copydesk disabled a webhook, which is the subject. `id` is `<webhook id>.disabled.<time in milliseconds>`.

    The envelope is that of `ProcessedEvent`. It is about no document.
    """

    specversion: Literal["1.0"]
    id: str
    source: NotRequired[str]
    type: Literal["copydesk.webhook.disabled.v1"]
    subject: str
    time: str
    datacontenttype: Literal["application/json"]
    data: DisabledWebhook


class WebhookTestEvent(TypedDict):
    """
    A test of a webhook, which is the subject. It is sent to that webhook alone, and is not in the log.
    """

    specversion: Literal["1.0"]
    id: str
    source: NotRequired[str]
    type: Literal["copydesk.webhook.test.v1"]
    subject: str
    time: str
    datacontenttype: Literal["application/json"]
    data: TestedWebhook


class Attempt(TypedDict):
    """
    One attempt at a job that did not decide the document. `at` is RFC 3339, UTC.
    """

    reason: Reason
    at: str
    detail: NotRequired[str]


class BatchState(TypedDict):
    """
    How far a batch is, and a page of its documents that failed. `next` is the `cursor` of the page behind.
    """

    id: str
    name: str | None
    state: str
    documents: BatchDocuments
    late: int
    begun_at: str
    closed_at: str | None
    completed_at: str | None
    failures: list[FailedDocument]
    next: str | None


class CallbackProgress(TypedDict):
    """
    How far a callback is. `status`: of the last answer; None without one, where `error` says what happened.
    """

    state: NotRequired[DeliveryState]
    attempts: NotRequired[int]
    status: NotRequired[int | None]
    error: NotRequired[str | None]


class CompletedBatch(TypedDict):
    """
    A batch that is closed, and whose documents are all decided. Times are RFC 3339 in UTC.

    `completed` is when the last document was decided, or the batch was closed, whichever came later. `failures` are the
    first `MAX_TOLD_FAILURES` documents that failed.
    """

    id: str
    name: str | None
    closed: str
    completed: str
    counts: BatchCounts
    failures: NotRequired[list[FailedDocument]]


class ErasedEvent(TypedDict):
    """
    A document is erased, and subscribers must delete what they keep of it. `id` is `<document id>.erased`.

    The envelope is that of `ProcessedEvent`. It decides no run.
    """

    specversion: Literal["1.0"]
    id: str
    source: NotRequired[str]
    type: Literal["copydesk.document.erased.v1"]
    subject: str
    time: str
    datacontenttype: Literal["application/json"]
    data: Erasure


class Provenance(TypedDict):
    """
    How a result was produced.

    `charset` is the one that the bytes were decoded with, `charset_source` its source; both are None if text came as
    JSON. `controls_dropped` counts the control characters that were left out. `language_confidence` is in [0, 1].
    `timings` are seconds by stage. `versions` are those of the packages that were used. `confidence` is the
    confidence of each metadata field in [0, 1], where it is known. `candidates` are the values that a metadata field
    did not get. `history` are the attempts before the last. `idempotency` is None without an idempotency key.
    `duplicates_checked` is False if the ledger could not be asked for duplicates, None if none were looked for.
    """

    fetch: NotRequired[Fetched | None]
    charset: NotRequired[str | None]
    charset_source: NotRequired[CharsetSource | None]
    controls_dropped: NotRequired[int]
    language_confidence: NotRequired[float | None]
    timings: NotRequired[dict[str, float]]
    versions: NotRequired[dict[str, str]]
    confidence: NotRequired[dict[str, float]]
    candidates: NotRequired[dict[str, list[str]]]
    history: NotRequired[list[Attempt]]
    idempotency: NotRequired[Idempotency | None]
    duplicates_checked: NotRequired[bool | None]


class RunBrief(TypedDict):
    """
    A run in few words.
    """

    run: int
    state: State
    accepted_at: str | None
    decided_at: str | None
    attempts: int
    reason: Reason | None
    event: str | None


class Submission(TypedDict):
    """
    One document: `text`, or `html`, or a `url` to fetch. With `text` or `html`, `url` is where it came from.
    """

    url: NotRequired[str | None]
    text: NotRequired[str | None]
    html: NotRequired[str | None]
    metadata: NotRequired[SubmittedMetadata]
    labels: NotRequired[dict[str, str]]
    options: NotRequired[SubmittedOptions]


class Article(TypedDict):
    """
    A clean article with its metadata.

    `text` holds paragraphs separated by one blank line, list items as `- item`, those of inner lists indented by two
    spaces, rows of tables as lines with ` | ` between cells, and code unchanged. `reading_time_s` are seconds,
    `content_sha256` is the hex digest of `text` in UTF-8, `simhash` 16 hex digits. `sketch` tells how much two texts
    have in common: see `contract.duplicates`. `duplicate_of` is None if no earlier duplicate is known.

    `markdown`, `html` (sanitised) and `comments` (text of readers' comments) are set where the caller asked for them
    and the page has them; their links are absolute. `posts` are those of a thread, or a question and its answers;
    `text` has their texts, too. `page_kind` and `quality` are estimates. `field_sources` names the source of each
    metadata field that has a value.
    """

    id: str
    kind: Kind
    labels: NotRequired[dict[str, str]]
    url: NotRequired[str | None]
    canonical_url: NotRequired[str | None]
    host: NotRequired[str | None]
    site_name: NotRequired[str | None]
    title: NotRequired[str | None]
    kicker: NotRequired[str | None]
    authors: NotRequired[list[str]]
    published: NotRequired[str | None]
    modified: NotRequired[str | None]
    language: NotRequired[str | None]
    description: NotRequired[str | None]
    image: NotRequired[str | None]
    categories: NotRequired[list[str]]
    tags: NotRequired[list[str]]
    license: NotRequired[str | None]
    text: str
    markdown: NotRequired[str | None]
    html: NotRequired[str | None]
    comments: NotRequired[str | None]
    posts: NotRequired[list[Post]]
    excerpt: str
    word_count: int
    char_count: int
    reading_time_s: int
    content_sha256: str
    simhash: str
    sketch: NotRequired[str | None]
    duplicate_of: NotRequired[DuplicateOf | None]
    page_kind: NotRequired[PageKind | None]
    quality: NotRequired[Quality]
    field_sources: NotRequired[dict[str, Source]]
    removed: NotRequired[list[Removed]]
    provenance: NotRequired[Provenance]


class BatchCompletedEvent(TypedDict):
    """
    All documents of a closed batch are decided. `id` is `<batch id>.completed`, `subject` the batch's id.

    The envelope is that of `ProcessedEvent`. It decides no run.
    """

    specversion: Literal["1.0"]
    id: str
    source: NotRequired[str]
    type: Literal["copydesk.batch.completed.v1"]
    subject: str
    time: str
    datacontenttype: Literal["application/json"]
    data: CompletedBatch


class DocumentState(TypedDict):
    """
    What became of a document: its latest run, and all runs in few words, the latest last.

    `callback` says how far the callback of the latest run is; null if it has none.
    """

    id: str
    run: int
    state: State
    lane: Lane | None
    kind: Kind | None
    url: str | None
    host: str | None
    labels: dict[str, str]
    accepted_at: str | None
    decided_at: str | None
    attempts: int
    reason: Reason | None
    detail: str | None
    next_at: str | None
    title: str | None
    language: str | None
    published: str | None
    repeats: int
    event: str | None
    runs: list[RunBrief]
    callback: CallbackProgress | None


class Failure(TypedDict):
    """
    A document that did not become an article: why, and after how many attempts.

    A page that was parsed and then refused has metadata, too; its language is the declared one. `duplicate_of` is the
    document that makes this one needless, where `reason` is `duplicate`.
    """

    id: str
    kind: Kind | None
    labels: NotRequired[dict[str, str]]
    url: NotRequired[str | None]
    canonical_url: NotRequired[str | None]
    host: NotRequired[str | None]
    site_name: NotRequired[str | None]
    title: NotRequired[str | None]
    kicker: NotRequired[str | None]
    authors: NotRequired[list[str]]
    published: NotRequired[str | None]
    modified: NotRequired[str | None]
    language: NotRequired[str | None]
    description: NotRequired[str | None]
    image: NotRequired[str | None]
    categories: NotRequired[list[str]]
    tags: NotRequired[list[str]]
    license: NotRequired[str | None]
    reason: Reason
    detail: str
    attempts: int
    duplicate_of: NotRequired[DuplicateOf | None]
    field_sources: NotRequired[dict[str, Source]]
    provenance: NotRequired[Provenance]


class ProcessedEvent(TypedDict):
    """
    A document became an article. `id` is `<document id>.<run>`, `subject` the document's id, `time` RFC 3339.

    `traceparent` and `tracestate` are those of CloudEvents' distributed tracing extension: where the event was made.
    They are absent without a trace.
    """

    specversion: Literal["1.0"]
    id: str
    source: NotRequired[str]
    type: Literal["copydesk.document.processed.v1"]
    subject: str
    time: str
    datacontenttype: Literal["application/json"]
    traceparent: NotRequired[str | None]
    tracestate: NotRequired[str | None]
    data: Article


class FailedEvent(TypedDict):
    """
    A document failed; its data says why. The envelope is that of `ProcessedEvent`.
    """

    specversion: Literal["1.0"]
    id: str
    source: NotRequired[str]
    type: Literal["copydesk.document.failed.v1"]
    subject: str
    time: str
    datacontenttype: Literal["application/json"]
    traceparent: NotRequired[str | None]
    tracestate: NotRequired[str | None]
    data: Failure
