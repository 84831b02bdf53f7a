"""The closed list of reasons why documents fail, and the consequence of each."""

from enum import StrEnum


class FailureClass(StrEnum):
    """The consequence of a failure."""

    TRANSIENT = "transient"  # retried on the next delay; after the last, failed
    PERMANENT = "permanent"  # failed at once
    HOSTILE = "hostile"  # once more in a fresh child; then failed and buried
    UNEXPECTED = "unexpected"  # a defect of ours: retried; then failed and buried


class Reason(StrEnum):
    """Why a document failed: the same word in events, routing keys, metrics and docs."""

    DNS_ERROR = "dns_error"
    CONNECT_ERROR = "connect_error"
    CONNECT_TIMEOUT = "connect_timeout"
    FIRST_BYTE_TIMEOUT = "first_byte_timeout"
    IDLE_TIMEOUT = "idle_timeout"
    FETCH_TIMEOUT = "fetch_timeout"
    BAD_RESPONSE = "bad_response"
    INCOMPLETE_BODY = "incomplete_body"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    ROBOTS_UNREACHABLE = "robots_unreachable"

    NOT_FOUND = "not_found"
    GONE = "gone"
    FORBIDDEN = "forbidden"
    HTTP_ERROR = "http_error"
    TLS_ERROR = "tls_error"
    CERTIFICATE_ERROR = "certificate_error"
    BLOCKED_ADDRESS = "blocked_address"
    BLOCKED_PORT = "blocked_port"
    INVALID_URL = "invalid_url"
    ROBOTS_DENIED = "robots_denied"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    HEADERS_TOO_LARGE = "headers_too_large"
    TOO_LARGE = "too_large"
    DECOMPRESSED_TOO_LARGE = "decompressed_too_large"
    BAD_ENCODING = "bad_encoding"
    SOFT_404 = "soft_404"
    BOT_CHALLENGE = "bot_challenge"
    CONSENT_WALL = "consent_wall"
    PAYWALL = "paywall"
    LOGIN_REQUIRED = "login_required"
    LIST_PAGE = "list_page"
    NO_ARTICLE = "no_article"
    RESULT_TOO_LARGE = "result_too_large"
    UNDECODABLE = "undecodable"
    WORKER_LOST = "worker_lost"
    CANCELLED = "cancelled"
    DUPLICATE = "duplicate"

    PARSE_TIMEOUT = "parse_timeout"
    MEMORY = "memory"
    PARSER_CRASH = "parser_crash"

    JOB_TIMEOUT = "job_timeout"
    INTERNAL_ERROR = "internal_error"

    @property
    def failure_class(self) -> FailureClass:
        """The consequence of this reason."""
        if self in _TRANSIENT:
            return FailureClass.TRANSIENT
        if self in _HOSTILE:
            return FailureClass.HOSTILE
        if self in _UNEXPECTED:
            return FailureClass.UNEXPECTED
        return FailureClass.PERMANENT


_TRANSIENT = frozenset(
    {
        Reason.DNS_ERROR,
        Reason.CONNECT_ERROR,
        Reason.CONNECT_TIMEOUT,
        Reason.FIRST_BYTE_TIMEOUT,
        Reason.IDLE_TIMEOUT,
        Reason.FETCH_TIMEOUT,
        Reason.BAD_RESPONSE,
        Reason.INCOMPLETE_BODY,
        Reason.RATE_LIMITED,
        Reason.SERVER_ERROR,
        Reason.ROBOTS_UNREACHABLE,
    }
)
_HOSTILE = frozenset({Reason.PARSE_TIMEOUT, Reason.MEMORY, Reason.PARSER_CRASH})
_UNEXPECTED = frozenset({Reason.JOB_TIMEOUT, Reason.INTERNAL_ERROR})
