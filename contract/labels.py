"""The closed sets of label values. Metrics, logs and alerts share one spelling of each, in snake_case.

The reasons why documents fail are in `contract.reasons`, kinds and lanes in `contract.job`; `contract.label_values`
tells which metric has which. Labels use the names that queues have on RabbitMQ, so that `copydesk_queue_depth` and
RabbitMQ's own metrics can be joined.
"""

from enum import StrEnum

from contract.reasons import Reason


class ProblemName(StrEnum):
    """Why a request was refused. The problem's URL has the same words with hyphens: /problems/broker-unavailable."""

    BAD_REQUEST = "bad_request"
    INVALID_PARAMETER = "invalid_parameter"
    MALFORMED_BODY = "malformed_body"
    UNAUTHORIZED = "unauthorized"
    FOREIGN_ORIGIN = "foreign_origin"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    NOT_FOUND = "not_found"
    NOT_ACCEPTABLE = "not_acceptable"
    NO_ARTICLE = "no_article"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    BODY_TIMEOUT = "body_timeout"
    HEADER_TIMEOUT = "header_timeout"
    AMBIGUOUS_ID = "ambiguous_id"
    NOT_RETRYABLE = "not_retryable"
    ALREADY_DECIDED = "already_decided"
    RUN_UNDER_WAY = "run_under_way"
    NOTHING_KEPT = "nothing_kept"
    NOT_RECORDED = "not_recorded"
    ERASED = "erased"
    TOO_MANY_CONSUMERS = "too_many_consumers"
    POSITION_GONE = "position_gone"
    CONTENT_TOO_LARGE = "content_too_large"
    TARGET_TOO_LONG = "target_too_long"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    FOREIGN_HOST = "foreign_host"
    INVALID_SUBMISSION = "invalid_submission"
    INVALID_WEBHOOK = "invalid_webhook"
    INVALID_REPLAY = "invalid_replay"
    TOO_MANY_REPLAYS = "too_many_replays"
    REPLAY_NOT_RUNNING = "replay_not_running"
    REPLAY_NOT_STOPPED = "replay_not_stopped"
    TOO_MANY_WEBHOOKS = "too_many_webhooks"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    BATCH_CLOSED = "batch_closed"
    INTAKE_FULL = "intake_full"
    QUOTA_EXCEEDED = "quota_exceeded"
    HEADER_TOO_LARGE = "header_too_large"
    INTERNAL_ERROR = "internal_error"
    EXTRACTION_FAILED = "extraction_failed"
    EXTRACTION_TIMEOUT = "extraction_timeout"
    NO_WORKER = "no_worker"
    TOO_MANY_EXTRACTIONS = "too_many_extractions"
    LEDGER_NOT_CONFIGURED = "ledger_not_configured"
    EVENT_TOKENS_NOT_CONFIGURED = "event_tokens_not_configured"
    CALLBACKS_NOT_CONFIGURED = "callbacks_not_configured"
    KEYS_UNAVAILABLE = "keys_unavailable"
    LEDGER_UNAVAILABLE = "ledger_unavailable"
    BROKER_UNAVAILABLE = "broker_unavailable"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    TOO_MANY_STREAMS = "too_many_streams"
    STOPPING = "stopping"


class Destination(StrEnum):
    """Where a message is published to. No queue receives a probe: readiness publishes one to test publishing."""

    INTAKE = "intake"
    ACCEPTED = "accepted"
    ATTEMPTS = "attempts"
    REQUESTS = "requests"
    LOG = "log"
    DOCUMENTS = "documents"
    RETRY = "retry"
    DEAD = "dead"
    PREVIEWS = "previews"
    REPLIES = "replies"
    SUBSCRIBER = "subscriber"  # a replay sends events to a subscriber's queue
    PROBE = "probe"


class PublishFailure(StrEnum):
    """Why a message was not confirmed."""

    NO_SESSION = "no_session"
    BLOCKED = "blocked"
    RETURNED = "returned"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    SESSION_LOST = "session_lost"


class SessionRole(StrEnum):
    """The use of a session with RabbitMQ. Each role has a separate connection: a blocked connection stops acks, too."""

    PUBLISHER = "publisher"
    CONSUMER = "consumer"
    READER = "reader"
    LEASES = "leases"
    REPLIES = "replies"


class SessionLoss(StrEnum):
    """Why a session with RabbitMQ ended, or could not begin."""

    UNREACHABLE = "unreachable"
    TLS_FAILED = "tls_failed"
    CREDENTIALS_REFUSED = "credentials_refused"
    VHOST_REFUSED = "vhost_refused"
    PERMISSION_REFUSED = "permission_refused"
    TOPOLOGY_MISMATCH = "topology_mismatch"
    CONNECTION_CLOSED = "connection_closed"
    HEARTBEAT_MISSED = "heartbeat_missed"
    CHANNEL_CLOSED = "channel_closed"
    CONSUMER_CANCELLED = "consumer_cancelled"
    UNROUTABLE = "unroutable"


class VerdictKind(StrEnum):
    """The kind of a verdict: see `contract.verdicts`."""

    PUBLISH = "publish"
    RETRY = "retry"
    DEFER = "defer"
    BURY = "bury"
    ANSWER = "answer"


class Outcome(StrEnum):
    """The value of a `reason` or `outcome` label when nothing failed."""

    PROCESSED = "processed"
    DEFERRED = "deferred"
    FETCHED = "fetched"


class Stage(StrEnum):
    """A part of the work on a document; `job` is the sum of all parts."""

    FETCH = "fetch"
    EXTRACT = "extract"
    NORMALISE = "normalise"
    COMPARE = "compare"
    JOB = "job"


class WaitFor(StrEnum):
    """What a request waits for: the verdict on what it posted or looked up, or the article of a preview."""

    SUBMISSION = "submission"
    LOOKUP = "lookup"
    EXTRACTION = "extraction"


class WaitOutcome(StrEnum):
    """How the wait of a request ended."""

    DECIDED = "decided"
    TIMED_OUT = "timed_out"
    CLIENT_GONE = "client_gone"
    BROKER_LOST = "broker_lost"
    REFUSED = "refused"  # as many waited as may, or the broker could not be asked
    STOPPING = "stopping"


class StreamEnd(StrEnum):
    """Why a stream of events ended."""

    COMPLETE = "complete"  # all that was asked for is sent
    CLIENT_LEFT = "client_left"
    SLOW_READER = "slow_reader"  # the client did not read in time
    STOPPING = "stopping"
    BROKER_LOST = "broker_lost"
    POSITION_GONE = "position_gone"  # the log removed events before they were read
    KEY_REFUSED = "key_refused"  # the API key was revoked
    SUPERSEDED = "superseded"  # another connection reads for the consumer
    CONSUMER_GONE = "consumer_gone"  # the consumer was removed
    REPLAY_CANCELLED = "replay_cancelled"  # of a download: the replay was cancelled


class ParserRestart(StrEnum):
    """Why a parser child was replaced. The first three are reasons of documents, too."""

    PARSE_TIMEOUT = Reason.PARSE_TIMEOUT.value
    MEMORY = Reason.MEMORY.value
    PARSER_CRASH = Reason.PARSER_CRASH.value
    ABANDONED = "abandoned"  # nobody waits for its document any more
    RECYCLED = "recycled"
    SUSPECT = "suspect"


class DeadAction(StrEnum):
    """What an operator did with a dead letter."""

    RETRY = "retry"
    DROP = "drop"


class InHand(StrEnum):
    """What a document that a worker has taken does: see `contract.capacity.Capacity`."""

    WORKING = "working"
    WAITING = "waiting"
    UNCONFIRMED = "unconfirmed"


class ParserState(StrEnum):
    """What a parser child does."""

    BUSY = "busy"
    IDLE = "idle"


class ArticleField(StrEnum):
    """A metadata field that an article should have. Each value is the name of a field of `contract.article.Article`."""

    TITLE = "title"
    AUTHORS = "authors"
    PUBLISHED = "published"
    LANGUAGE = "language"


class Disk(StrEnum):
    """A disk that Copydesk writes to."""

    DATA = "data"  # that of the embedded broker's folder


class AuditState(StrEnum):
    """The state of a run in the audit. Each value is the name of a field of `runtime.audit.Balance`."""

    ACCEPTED = "accepted"
    DECIDED = "decided"
    IN_FLIGHT = "in_flight"
    MISSING = "missing"
    REPEATED = "repeated"
    DIFFERING = "differing"
    UNRECORDED = "unrecorded"


class AuditOutcome(StrEnum):
    """How one reading of the broker by the audit ended."""

    COMPLETE = "complete"
    FAILED = "failed"


class LogReader(StrEnum):
    """Who reads the event log from a place that the ledger keeps."""

    LEDGER = "ledger"
    WEBHOOK = "webhook"
    CONSUMER = "consumer"
    REPLAY = "replay"


class RepeatContent(StrEnum):
    """The content of a repeated event, compared with the event of the same run in the ledger."""

    SAME = "same"
    DIFFERING = "differing"


class DeliveryOutcome(StrEnum):
    """How an attempt to deliver to a webhook ended."""

    DELIVERED = "delivered"
    REFUSED = "refused"  # any answer but success
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    BLOCKED = "blocked"  # its address may not be dialled


class WebhookState(StrEnum):
    """The state of a webhook."""

    DELIVERING = "delivering"
    FAILING = "failing"  # its last delivery failed
    DISABLED = "disabled"


class ProcessRole(StrEnum):
    """The role of a process: the command that started it."""

    UP = "up"
    SERVE = "serve"
    WORK = "work"
    RECORD = "record"
    DELIVER = "deliver"
    AUDIT = "audit"


class Listener(StrEnum):
    """A port that Copydesk listens on."""

    API = "api"
    OPS = "ops"


class Cut(StrEnum):
    """Why Copydesk closed or refused a connection."""

    FIRST_BYTE_TIMEOUT = "first_byte_timeout"  # the client connected and sent nothing
    HEADER_TIMEOUT = "header_timeout"  # the header of a request was not complete in time
    IDLE_TIMEOUT = "idle_timeout"  # no further request came after an answer
    SEND_TIMEOUT = "send_timeout"  # the client did not read the answer in time
    GAVE_WAY = "gave_way"  # the limit was reached: the longest idle connection was closed for a new one
    TOO_MANY = "too_many"  # refused: all connections were serving requests
    TOO_MANY_FROM_ADDRESS = "too_many_from_address"  # refused: all connections of this address were serving requests


UNKNOWN_KIND = "unknown"
"""The kind of what is not known, as of a page that nothing tells about."""
