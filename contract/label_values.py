"""Which values the labels of each metric may have."""

import re
from collections.abc import Mapping

from contract.article import PageKind, PasteKind
from contract.duplicates import DuplicateKind
from contract.job import Kind, Lane
from contract.labels import (
    UNKNOWN_KIND,
    ArticleField,
    AuditOutcome,
    AuditState,
    Cut,
    DeadAction,
    DeliveryOutcome,
    Destination,
    Disk,
    InHand,
    Listener,
    LogReader,
    Outcome,
    ParserRestart,
    ParserState,
    ProblemName,
    ProcessRole,
    PublishFailure,
    RepeatContent,
    SessionLoss,
    SessionRole,
    Stage,
    StreamEnd,
    VerdictKind,
    WaitFor,
    WaitOutcome,
    WebhookState,
)
from contract.reasons import Reason
from contract.replays import ReplayState, ReplayTarget
from contract.streams import Stream
from contract.topology import BOUNDS, DELAYED, design, retry_queue
from contract.webhooks import DisabledCause

Values = frozenset[str] | re.Pattern[str]

_REASONS = frozenset(Reason)
_ROUTE = re.compile(r"/.*|unmatched")
_QUEUE = re.compile(
    "|".join(re.escape(name) for name in (*(queue.name for queue in design().queues), DELAYED))
    + "|"
    + re.escape(retry_queue(0)).replace("0", r"[0-9.e+]+")  # the delays are a setting
)

_KIND = frozenset(Kind) | {UNKNOWN_KIND}
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
    "copydesk_duplicates": {"kind": frozenset(DuplicateKind)},
    "copydesk_fetches": {"outcome": _REASONS | {Outcome.FETCHED}},
    "copydesk_retries": {"reason": _REASONS},
    "copydesk_in_hand": {"state": frozenset(InHand)},
    "copydesk_parser_restarts": {"cause": frozenset(ParserRestart)},
    "copydesk_dead_letters": {"action": frozenset(DeadAction)},
    "copydesk_session_losses": {"role": frozenset(SessionRole), "cause": frozenset(SessionLoss)},
    "copydesk_queue_depth": {"queue": _QUEUE},
    "copydesk_queue_oldest_seconds": {"queue": _QUEUE},
    "copydesk_queue_limit": {"queue": _QUEUE},
    "copydesk_queue_wait_seconds": {"lane": frozenset(Lane)},
    "copydesk_decided_seconds": {"kind": frozenset(Kind), "lane": frozenset(Lane)},
    "copydesk_articles": {"kind": _KIND, "content": frozenset(PageKind) | frozenset(PasteKind) | {UNKNOWN_KIND}},
    "copydesk_articles_without": {"kind": _KIND, "field": frozenset(ArticleField)},
    "copydesk_confidence_ratio": {"kind": _KIND},
    "copydesk_parsers": {"state": frozenset(ParserState)},
    "copydesk_disk_free_bytes": {"disk": frozenset(Disk)},
    "copydesk_queue_bound_missing": {"queue": _QUEUE, "bound": frozenset(BOUNDS.values())},
    "copydesk_audit_runs": {"state": frozenset(AuditState)},
    "copydesk_audit_oldest_seconds": {"lane": frozenset(Lane)},
    "copydesk_audit_readings": {"outcome": frozenset(AuditOutcome)},
    "copydesk_request_seconds": {
        "method": re.compile("[A-Z]+|other"),
        "route": _ROUTE,
        "status": re.compile("[1-5][0-9]{2}"),
    },
    "copydesk_waiting_requests": {"kind": frozenset(WaitFor)},
    "copydesk_event_streams_ended": {"reason": frozenset(StreamEnd)},
    "copydesk_waits": {"kind": frozenset(WaitFor), "outcome": frozenset(WaitOutcome)},
    "copydesk_log_left_seconds": {"reader": frozenset(LogReader)},
    "copydesk_ledger_entries": {"stream": _STREAM},
    "copydesk_ledger_repeats": {"content": frozenset(RepeatContent)},
    "copydesk_ledger_unreadable": {"stream": _STREAM},
    "copydesk_ledger_gaps": {"stream": _STREAM},
    "copydesk_webhook_attempts": {"outcome": frozenset(DeliveryOutcome)},
    "copydesk_callback_attempts": {"outcome": frozenset(DeliveryOutcome)},
    "copydesk_webhooks": {"state": frozenset(WebhookState)},
    "copydesk_webhooks_disabled": {"cause": frozenset(DisabledCause)},
    "copydesk_replayed": {"target": frozenset(ReplayTarget)},
    "copydesk_replays_ended": {"state": frozenset({ReplayState.COMPLETED, ReplayState.FAILED})},
    "copydesk_connections": {"listener": frozenset(Listener)},
    "copydesk_connections_cut": {"listener": frozenset(Listener), "cause": frozenset(Cut)},
    "copydesk_build_info": {
        "version": re.compile(".+"),
        "python": re.compile(".+"),
        "role": frozenset(ProcessRole),
    },
}
"""The allowed values of each label of each metric: a closed set, or a pattern if settings or routes make the values."""


def is_value(values: Values, value: str) -> bool:
    """Returns True if a label with these `values` may have `value`."""
    return value in values if isinstance(values, frozenset) else values.fullmatch(value) is not None
