"""The types of all problems: what errors are answered with (RFC 9457). `service.refusals` makes the answers."""

from dataclasses import dataclass

from contract.labels import ProblemName

MEDIA_TYPE = "application/problem+json"
_REGISTRY = "https://iana.org/assignments/http-problem-types"  # RFC 9457, section 4.2


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem. This server says at `/problems/<slug>` what it means.

    `registered`: its `type` is the one that others use, too, in IANA's registry of HTTP problem types.
    """

    slug: str
    status: int
    title: str
    meaning: str
    registered: bool = False

    @property
    def path(self) -> str:
        """Its `type`: a relative reference to what it means, or the URI of the registry."""
        return f"{_REGISTRY}#{self.slug}" if self.registered else f"/problems/{self.slug}"

    @property
    def in_words(self) -> str:
        """What this server answers there."""
        return f"{self.title} ({self.status})\n\n{self.meaning}\n"

    @property
    def name(self) -> ProblemName:
        """The name in metrics: the slug with underscores, like all label values."""
        return ProblemName(self.slug.replace("-", "_"))


BAD_REQUEST = ProblemType("bad-request", 400, "Bad request", "The request is not one that this server understands.")
INVALID_PARAMETER = ProblemType(
    "invalid-parameter", 400, "Invalid parameter", "A header or a query parameter breaks a rule."
)
MALFORMED_BODY = ProblemType(
    "malformed-body",
    400,
    "Malformed body",
    "The body is not JSON in UTF-8, or does not follow its Content-Encoding or Transfer-Encoding.",
)
UNAUTHORIZED = ProblemType(
    "unauthorized", 401, "API key needed", "Send a valid API key as Authorization: Bearer <key>."
)
FOREIGN_ORIGIN = ProblemType(
    "foreign-origin",
    403,
    "Foreign origin",
    "Without API keys, web pages of other sites may not use this server: any page open in a browser could.",
)
INSUFFICIENT_SCOPE = ProblemType(
    "insufficient-scope",
    403,
    "Insufficient scope",
    "The API key may not do this. Each operation in the OpenAPI document names the scope that it needs.",
)
NOT_FOUND = ProblemType("not-found", 404, "Not found", "There is nothing at this path.")
NOT_ACCEPTABLE = ProblemType(
    "not-acceptable", 406, "Not acceptable", "The document is not there in any of the forms that were asked for."
)
NO_ARTICLE = ProblemType(
    "no-article", 404, "No article", "The document failed, so there is no article. Its state and its event say why."
)
METHOD_NOT_ALLOWED = ProblemType(
    "method-not-allowed", 405, "Method not allowed", "The Allow header lists what this path takes."
)
BODY_TIMEOUT = ProblemType("body-timeout", 408, "Body too slow", "The body did not arrive in time.")
HEADER_TIMEOUT = ProblemType("header-timeout", 408, "Header too slow", "The request's header did not arrive in time.")
NOT_RETRYABLE = ProblemType(
    "not-retryable",
    409,
    "Not retryable",
    "The dead letter holds no job that could be put again: look at it, and drop it.",
)
ALREADY_DECIDED = ProblemType(
    "already-decided", 409, "Already decided", "The document is decided already, so there is nothing to cancel."
)
RUN_UNDER_WAY = ProblemType(
    "run-under-way",
    409,
    "Run under way",
    "A run of this document is not decided yet. Ask again when it is, or cancel it.",
)
NOTHING_KEPT = ProblemType(
    "nothing-kept",
    409,
    "Nothing kept",
    "There is nothing to run again: the content of this document was not kept. COPYDESK_KEEP_INPUT keeps that of "
    "documents to come. Post the document again.",
)
NOT_RECORDED = ProblemType(
    "not-recorded",
    409,
    "Not recorded yet",
    "Nothing is recorded of this id yet, so nobody can tell whose document it is. Ask again after Retry-After seconds.",
)
TOO_MANY_WEBHOOKS = ProblemType(
    "too-many-webhooks", 409, "Too many webhooks", "The owner has as many webhooks as one may have. Remove one first."
)
AMBIGUOUS_ID = ProblemType(
    "ambiguous-id",
    409,
    "Ambiguous id",
    "Several ids begin with what was given: give more of the one that is meant.",
)
ERASED = ProblemType("erased", 410, "Erased", "This document was erased for good.")
TOO_MANY_CONSUMERS = ProblemType(
    "too-many-consumers",
    409,
    "Too many consumers",
    "The owner has as many named consumers as one may have. Remove one first.",
)
POSITION_GONE = ProblemType(
    "position-gone",
    410,
    "Log position gone",
    "The log no longer holds this position. Start with the oldest event: after=oldest.",
)
CONTENT_TOO_LARGE = ProblemType("content-too-large", 413, "Content too large", "The document is over the size limit.")
TARGET_TOO_LONG = ProblemType("target-too-long", 414, "Target too long", "The request's first line is too long.")
UNSUPPORTED_MEDIA_TYPE = ProblemType(
    "unsupported-media-type",
    415,
    "Unsupported media type",
    "Accept-Post lists the media types that are taken, or, if that is the reason, Accept-Encoding the content codings.",
)
FOREIGN_HOST = ProblemType(
    "foreign-host",
    421,
    "Foreign host",
    "The Host header names another server than this one. COPYDESK_HOSTS lists the names under which it is known.",
)
INVALID_SUBMISSION = ProblemType(
    "invalid-submission", 422, "Invalid submission", "The body is well formed, but fields break rules: see errors."
)
INVALID_REPLAY = ProblemType(
    "invalid-replay", 422, "Invalid replay", "The body is JSON, but fields break rules: see errors."
)
TOO_MANY_REPLAYS = ProblemType(
    "too-many-replays", 409, "Too many replays", "As many replays of the owner run as may. Cancel one, or wait."
)
REPLAY_NOT_RUNNING = ProblemType(
    "replay-not-running", 409, "Replay not running", "The replay has ended: it can be cancelled and downloaded no more."
)
REPLAY_NOT_STOPPED = ProblemType(
    "replay-not-stopped",
    409,
    "Replay not stopped",
    "Only a replay that failed or was cancelled can go on. This one runs, or is completed.",
)
INVALID_WEBHOOK = ProblemType(
    "invalid-webhook", 422, "Invalid webhook", "The body is JSON, but fields break rules: see errors."
)
BATCH_CLOSED = ProblemType(
    "batch-closed",
    409,
    "Batch closed",
    "The batch is closed, so no further document can belong to it. Post into a batch with another name.",
)
IDEMPOTENCY_KEY_REUSED = ProblemType(
    "idempotency-key-reused",
    422,
    "Idempotency key reused",
    "This Idempotency-Key came with another body before, and stands for that document. Post this one with another key.",
)
INTAKE_FULL = ProblemType("intake-full", 429, "Intake full", "The queue is full. Ask again after Retry-After seconds.")
QUOTA_EXCEEDED = ProblemType(
    "quota-exceeded",
    429,
    "Quota exceeded",
    "The API key has posted as much as it may for now. Nothing is stored of this request. Ask again after Retry-After "
    "seconds.",
    registered=True,
)
HEADER_TOO_LARGE = ProblemType(
    "header-too-large", 431, "Header too large", "The request's header, or one of its fields, is over the size limit."
)
INTERNAL_ERROR = ProblemType("internal-error", 500, "Internal error", "A defect of this server. It has been logged.")
EXTRACTION_FAILED = ProblemType(
    "extraction-failed",
    422,
    "Extraction failed",
    "The document cannot become an article: the rule in errors is the reason, as in failed events. "
    "With Retry-After it may be otherwise later.",
)
EXTRACTION_TIMEOUT = ProblemType(
    "extraction-timeout",
    504,
    "Extraction took too long",
    "A worker took the document and did not answer in time. Nothing of it is kept: post it to /v1/documents to have it "
    "tried again until it is decided.",
)
NO_WORKER = ProblemType(
    "no-worker",
    503,
    "No worker",
    "No worker took the document in time: all are at work, or none is running. Nothing of it is kept. "
    "Ask again after Retry-After seconds, or post it to /v1/documents.",
)
TOO_MANY_EXTRACTIONS = ProblemType(
    "too-many-extractions",
    503,
    "Too many extractions",
    "As many extractions are under way as this server holds. Ask again after Retry-After seconds.",
)
LEDGER_NOT_CONFIGURED = ProblemType(
    "ledger-not-configured",
    503,
    "Ledger not configured",
    "This server keeps no ledger, so it cannot tell what became of documents. An operator sets COPYDESK_LEDGER_URL and "
    "runs copydesk record. Documents are taken and events are published all the same.",
)
EVENT_TOKENS_NOT_CONFIGURED = ProblemType(
    "event-tokens-not-configured",
    503,
    "Event tokens not configured",
    "This server has nothing to sign event tokens with. An operator sets COPYDESK_EVENT_TOKENS_SECRET, the same for "
    "all servers.",
)
CALLBACKS_NOT_CONFIGURED = ProblemType(
    "callbacks-not-configured",
    503,
    "Callbacks not configured",
    "This server has nothing to sign callbacks with, so it takes no options.callback_url. Nothing is stored. An "
    "operator sets COPYDESK_CALLBACK_SECRET, the same for copydesk serve and copydesk deliver.",
)
KEYS_UNAVAILABLE = ProblemType(
    "keys-unavailable",
    503,
    "Keys unavailable",
    "The ledger, which keeps the API keys, has been away for too long to tell whether this one may be used. "
    "Ask again after Retry-After seconds.",
)
LEDGER_UNAVAILABLE = ProblemType(
    "ledger-unavailable",
    503,
    "Ledger unavailable",
    "The ledger's database is away or did not answer in time. Documents are taken all the same. "
    "Ask again after Retry-After seconds.",
)
BROKER_UNAVAILABLE = ProblemType(
    "broker-unavailable",
    503,
    "Broker unavailable",
    "The message broker is away or did not answer in time, so what was posted may or may not be stored. "
    "Ask again after Retry-After seconds, with the same Idempotency-Key.",
)
TOO_MANY_CONNECTIONS = ProblemType(
    "too-many-connections",
    503,
    "Too many connections",
    "All connections that this server holds, or grants this address, are at work. Ask again after Retry-After seconds.",
)
TOO_MANY_STREAMS = ProblemType(
    "too-many-streams",
    503,
    "Too many streams",
    "As many event streams are open as this server holds. Ask again after Retry-After seconds.",
)
STOPPING = ProblemType(
    "stopping",
    503,
    "Server stopping",
    "This server is stopping. What has no receipt may or may not be stored. Send it again, with the same "
    "Idempotency-Key.",
)

ALL = (
    BAD_REQUEST,
    INVALID_PARAMETER,
    MALFORMED_BODY,
    UNAUTHORIZED,
    FOREIGN_ORIGIN,
    INSUFFICIENT_SCOPE,
    NOT_FOUND,
    NO_ARTICLE,
    NOT_ACCEPTABLE,
    METHOD_NOT_ALLOWED,
    BODY_TIMEOUT,
    HEADER_TIMEOUT,
    NOT_RETRYABLE,
    ALREADY_DECIDED,
    RUN_UNDER_WAY,
    NOTHING_KEPT,
    NOT_RECORDED,
    TOO_MANY_WEBHOOKS,
    AMBIGUOUS_ID,
    ERASED,
    TOO_MANY_CONSUMERS,
    POSITION_GONE,
    CONTENT_TOO_LARGE,
    TARGET_TOO_LONG,
    UNSUPPORTED_MEDIA_TYPE,
    FOREIGN_HOST,
    INVALID_SUBMISSION,
    INVALID_WEBHOOK,
    INVALID_REPLAY,
    TOO_MANY_REPLAYS,
    REPLAY_NOT_RUNNING,
    REPLAY_NOT_STOPPED,
    IDEMPOTENCY_KEY_REUSED,
    BATCH_CLOSED,
    INTAKE_FULL,
    QUOTA_EXCEEDED,
    HEADER_TOO_LARGE,
    INTERNAL_ERROR,
    EXTRACTION_FAILED,
    EXTRACTION_TIMEOUT,
    NO_WORKER,
    TOO_MANY_EXTRACTIONS,
    LEDGER_NOT_CONFIGURED,
    EVENT_TOKENS_NOT_CONFIGURED,
    CALLBACKS_NOT_CONFIGURED,
    KEYS_UNAVAILABLE,
    LEDGER_UNAVAILABLE,
    BROKER_UNAVAILABLE,
    TOO_MANY_CONNECTIONS,
    TOO_MANY_STREAMS,
    STOPPING,
)
