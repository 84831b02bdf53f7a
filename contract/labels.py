"""The closed sets of label values: what metrics, logs and alerts say, with one spelling, snake_case.

The reasons of documents are in `contract.reasons`, kinds and lanes in `contract.job`. Queues keep the names that they
have on RabbitMQ, so that `copydesk_queue_depth` and RabbitMQ's own metrics speak of the same thing.
"""

import re
from collections.abc import Mapping
from enum import StrEnum

from contract.job import Kind, Lane
from contract.reasons import Reason
from contract.streams import Stream
from contract.topology import BOUNDS, DELAYED, design, retry_queue


class ProblemName(StrEnum):
    """Why a request was refused. The problem's URL has the same word with hyphens: /problems/broker-unavailable."""

    BAD_REQUEST = "bad_request"
    INVALID_PARAMETER = "invalid_parameter"
    MALFORMED_BODY = "malformed_body"
    UNAUTHORIZED = "unauthorized"
    FOREIGN_ORIGIN = "foreign_origin"
    NOT_FOUND = "not_found"
    NOT_ACCEPTABLE = "not_acceptable"
    NO_ARTICLE = "no_article"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    BODY_TIMEOUT = "body_timeout"
    HEADER_TIMEOUT = "header_timeout"
    AMBIGUOUS_ID = "ambiguous_id"
    NOT_RETRYABLE = "not_retryable"
    POSITION_GONE = "position_gone"
    CONTENT_TOO_LARGE = "content_too_large"
    TARGET_TOO_LONG = "target_too_long"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    FOREIGN_HOST = "foreign_host"
    INVALID_SUBMISSION = "invalid_submission"
    INTAKE_FULL = "intake_full"
    HEADER_TOO_LARGE = "header_too_large"
    INTERNAL_ERROR = "internal_error"
    EXTRACTION_FAILED = "extraction_failed"
    EXTRACTION_TIMEOUT = "extraction_timeout"
    NO_WORKER = "no_worker"
    TOO_MANY_EXTRACTIONS = "too_many_extractions"
    LEDGER_NOT_CONFIGURED = "ledger_not_configured"
    LEDGER_UNAVAILABLE = "ledger_unavailable"
    BROKER_UNAVAILABLE = "broker_unavailable"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    TOO_MANY_STREAMS = "too_many_streams"


class Destination(StrEnum):
    """Where a message is published to. A probe goes nowhere: readiness sees by it whether publishing works."""

    INTAKE = "intake"
    ACCEPTED = "accepted"
    ATTEMPTS = "attempts"
    LOG = "log"
    DOCUMENTS = "documents"
    RETRY = "retry"
    DEAD = "dead"
    PREVIEWS = "previews"
    REPLIES = "replies"
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
    """What a session with RabbitMQ is for. Each has a connection of its own: a blocked connection stops acks too."""

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
    """What becomes of a job: see `contract.verdicts`."""

    PUBLISH = "publish"
    RETRY = "retry"
    DEFER = "defer"
    BURY = "bury"
    ANSWER = "answer"


class Outcome(StrEnum):
    """What stands in a reason's place where nothing failed."""

    PROCESSED = "processed"
    DEFERRED = "deferred"
    FETCHED = "fetched"


class Stage(StrEnum):
    """A part of the work on a document; `job` is the whole."""

    FETCH = "fetch"
    EXTRACT = "extract"
    NORMALISE = "normalise"
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


class ParserRestart(StrEnum):
    """Why a parser child was replaced. The first three are reasons of documents, too."""

    PARSE_TIMEOUT = Reason.PARSE_TIMEOUT.value
    MEMORY = Reason.MEMORY.value
    PARSER_CRASH = Reason.PARSER_CRASH.value
    CANCELLED = "cancelled"
    RECYCLED = "recycled"
    SUSPECT = "suspect"


class DeadAction(StrEnum):
    """What an operator did with a dead letter."""

    RETRY = "retry"
    DROP = "drop"


class AuditState(StrEnum):
    """Where a run stands in the books. Each is a field of `runtime.audit.Balance`."""

    ACCEPTED = "accepted"
    DECIDED = "decided"
    IN_FLIGHT = "in_flight"
    MISSING = "missing"
    REPEATED = "repeated"
    DIFFERING = "differing"
    UNRECORDED = "unrecorded"


class LookOutcome(StrEnum):
    """How a look of the audit at the broker ended."""

    COMPLETE = "complete"
    FAILED = "failed"


class RepeatContent(StrEnum):
    """Whether a repeated event of a run is the same as the one in the ledger."""

    SAME = "same"
    DIFFERING = "differing"


class ProcessRole(StrEnum):
    """What a process does: the command that started it."""

    UP = "up"
    SERVE = "serve"
    WORK = "work"
    RECORD = "record"
    AUDIT = "audit"


class Listener(StrEnum):
    """A port that Copydesk listens on."""

    API = "api"
    OPS = "ops"


class Cut(StrEnum):
    """Why Copydesk ended a connection that its peer would have kept."""

    FIRST_BYTE_TIMEOUT = "first_byte_timeout"  # connected, and no request began
    HEADER_TIMEOUT = "header_timeout"  # a request's header began and did not end
    IDLE_TIMEOUT = "idle_timeout"  # no further request after an answer
    SEND_TIMEOUT = "send_timeout"  # the answer was not taken
    GAVE_WAY = "gave_way"  # it waited for longest when a new one came and the bound was reached
    TOO_MANY = "too_many"  # refused: all connections were at work
    TOO_MANY_FROM_ADDRESS = "too_many_from_address"  # refused: those of this address were


Values = frozenset[str] | re.Pattern[str]

_REASONS = frozenset(Reason)
_ROUTE = re.compile(r"/.*|unmatched")
_QUEUE = re.compile(
    "|".join(re.escape(name) for name in (*(queue.name for queue in design().queues), DELAYED))
    + "|"
    + re.escape(retry_queue(0)).replace("0", r"[0-9.e+]+")  # the delays are a setting
)

_STREAM = re.compile("|".join(map(re.escape, Stream)))

VALUES: Mapping[str, Mapping[str, Values]] = {
    "copydesk_accepted": {"kind": frozenset(Kind), "lane": frozenset(Lane)},
    "copydesk_refused": {"reason": frozenset(ProblemName)},
    "copydesk_published": {"to": frozenset(Destination)},
    "copydesk_publish_failures": {"to": frozenset(Destination), "cause": frozenset(PublishFailure)},
    "copydesk_verdicts": {
        "verdict": frozenset(VerdictKind),
        "reason": _REASONS | {Outcome.PROCESSED, Outcome.DEFERRED},
    },
    "copydesk_stage_seconds": {"stage": frozenset(Stage)},
    "copydesk_fetches": {"outcome": _REASONS | {Outcome.FETCHED}},
    "copydesk_retries": {"reason": _REASONS},
    "copydesk_parser_restarts": {"cause": frozenset(ParserRestart)},
    "copydesk_dead_letters": {"action": frozenset(DeadAction)},
    "copydesk_session_losses": {"role": frozenset(SessionRole), "cause": frozenset(SessionLoss)},
    "copydesk_queue_depth": {"queue": _QUEUE},
    "copydesk_queue_oldest_seconds": {"queue": _QUEUE},
    "copydesk_queue_bound_missing": {"queue": _QUEUE, "bound": frozenset(BOUNDS.values())},
    "copydesk_audit_runs": {"state": frozenset(AuditState)},
    "copydesk_audit_oldest_seconds": {"lane": frozenset(Lane)},
    "copydesk_audit_looks": {"outcome": frozenset(LookOutcome)},
    "copydesk_request_seconds": {
        "method": re.compile("[A-Z]+|other"),
        "route": _ROUTE,
        "status": re.compile("[1-5][0-9]{2}"),
    },
    "copydesk_waiting_requests": {"kind": frozenset(WaitFor)},
    "copydesk_waits": {"kind": frozenset(WaitFor), "outcome": frozenset(WaitOutcome)},
    "copydesk_ledger_entries": {"stream": _STREAM},
    "copydesk_ledger_repeats": {"content": frozenset(RepeatContent)},
    "copydesk_ledger_unreadable": {"stream": _STREAM},
    "copydesk_ledger_gaps": {"stream": _STREAM},
    "copydesk_connections": {"listener": frozenset(Listener)},
    "copydesk_connections_cut": {"listener": frozenset(Listener), "cause": frozenset(Cut)},
    "copydesk_build_info": {
        "version": re.compile(".+"),
        "python": re.compile(".+"),
        "role": frozenset(ProcessRole),
    },
}
"""What each label of each metric may be: a closed set, or a pattern where settings or routes make the values."""


def is_value(values: Values, value: str) -> bool:
    """Tells whether `value` is one that a label may have."""
    return value in values if isinstance(values, frozenset) else values.fullmatch(value) is not None
