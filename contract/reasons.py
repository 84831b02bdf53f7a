"""The closed list of reasons why a document failed, and what follows from each."""

from enum import StrEnum


class FailureClass(StrEnum):
    """What follows from a failure."""

    TRANSIENT = "transient"  # retried on the next delay; after the last, failed
    PERMANENT = "permanent"  # failed at once
    HOSTILE = "hostile"  # once more in a fresh child; then failed and buried
    UNEXPECTED = "unexpected"  # a defect of ours: retried; then failed and buried


class Reason(StrEnum):
    """Why a document failed: the same word in events, routing keys, metrics and docs."""

    DNS_ERROR = "dns_error"
    CONNECT_ERROR = "connect_error"
    FETCH_TIMEOUT = "fetch_timeout"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"

    NOT_FOUND = "not_found"
    GONE = "gone"
    FORBIDDEN = "forbidden"
    HTTP_ERROR = "http_error"
    TLS_ERROR = "tls_error"
    BLOCKED_ADDRESS = "blocked_address"
    INVALID_URL = "invalid_url"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    TOO_LARGE = "too_large"
    NO_ARTICLE = "no_article"
    RESULT_TOO_LARGE = "result_too_large"
    UNDECODABLE = "undecodable"
    WORKER_LOST = "worker_lost"

    PARSE_TIMEOUT = "parse_timeout"
    MEMORY = "memory"
    PARSER_CRASH = "parser_crash"

    JOB_TIMEOUT = "job_timeout"
    INTERNAL_ERROR = "internal_error"

    @property
    def failure_class(self) -> FailureClass:
        """What follows from this reason."""
        if self in _TRANSIENT:
            return FailureClass.TRANSIENT
        if self in _HOSTILE:
            return FailureClass.HOSTILE
        if self in _UNEXPECTED:
            return FailureClass.UNEXPECTED
        return FailureClass.PERMANENT


_TRANSIENT = frozenset(
    {Reason.DNS_ERROR, Reason.CONNECT_ERROR, Reason.FETCH_TIMEOUT, Reason.RATE_LIMITED, Reason.SERVER_ERROR}
)
_HOSTILE = frozenset({Reason.PARSE_TIMEOUT, Reason.MEMORY, Reason.PARSER_CRASH})
_UNEXPECTED = frozenset({Reason.JOB_TIMEOUT, Reason.INTERNAL_ERROR})
