"""What the examples are about: one document, its article, and a dead letter. The ids are those of the keys."""

from typing import Final

from contract.article import Article, PageKind, Quality, Source
from contract.batches import FailedDocument
from contract.events import ProcessedEvent
from contract.ids import batch_id, document_id_for_key
from contract.job import Kind, Lane
from contract.keys import ANONYMOUS
from contract.ledger import State
from contract.reasons import Reason
from service.api.answers import ConsumerState, IssuedToken, known
from service.api.dead_answers import ListedLetter
from service.api.document_answers import BatchBrief, BatchDocuments, BatchState, DocumentState, RunBrief, RunState

TEXT: Final = (
    "The ferry sails again\n\nBy Ada Larsen\n\n"
    "The ferry between the harbour and the lower town sails again from Monday, the harbour council said on Friday. "
    "It had been in the dock for three weeks, because a screw had been damaged by ice."
)
KEY: Final = "ferry-2026-11-28"
ID: Final = document_id_for_key(ANONYMOUS, KEY)
FAILED_ID: Final = document_id_for_key(ANONYMOUS, "no-such-page")
WAITING_ID: Final = document_id_for_key(ANONYMOUS, "slow-host")
BATCH_NAME: Final = "import-2026-11-28"
BATCH_ID: Final = batch_id(ANONYMOUS, BATCH_NAME)
LETTER_ID: Final = document_id_for_key(ANONYMOUS, "hostile-page")
MISSING_ID: Final = "018f0000-0000-7000-8000-000000000000"  # made in 2024: it is kept no more
WEBHOOK_ID: Final = "01900000-0000-7000-8000-000000000001"
REPLAY_ID: Final = "01900000-0000-7000-8000-000000000003"
STOPPED_REPLAY_ID: Final = "01900000-0000-7000-8000-000000000004"
DELIVERY_ID: Final = "01900000-0000-7000-8000-000000000002"

AT: Final = "2026-11-28T12:00:00.000Z"
_BODY = TEXT.partition("Larsen\n\n")[2]

EVENT: Final = ProcessedEvent(
    id=f"{ID}.1",
    subject=ID,
    time="2026-11-28T12:00:00.140Z",
    data=Article(
        id=ID,
        kind=Kind.TEXT,
        labels={"desk": "foreign"},
        title="The ferry sails again",
        authors=("Ada Larsen",),
        language="en",
        text=_BODY,
        markdown=_BODY,
        html=f"<p>{_BODY}</p>",
        excerpt=_BODY[:108],
        word_count=len(_BODY.split()),
        char_count=len(_BODY),
        reading_time_s=10,
        content_sha256="0" * 64,
        simhash="0" * 16,
        page_kind=PageKind.ARTICLE,
        quality=Quality(confidence=0.97),
        field_sources={"title": Source.TEXT, "authors": Source.TEXT},
    ),
)

EVENT_TOKEN: Final = IssuedToken(
    token="cdt_WyJhbm4iLG51bGwsMTc5NTk1MzY2MF0.kYVnD7q0v3JcQ5l8mO2xR9tZ1aB4eF6gH8iK0pLsUwY",  # noqa: S106 - made up
    expires_at="2026-11-28T12:01:00.000Z",
)
CONSUMER: Final = ConsumerState(name="archive", offset=1234, created_at=AT, committed_at=AT)

RUN: Final = RunState(
    id=ID,
    run=1,
    state=State.PROCESSED,
    lane=Lane.INTERACTIVE,
    kind=Kind.TEXT,
    url=None,
    host=None,
    labels={"desk": "foreign"},
    accepted_at=AT,
    decided_at=EVENT.time,
    attempts=1,
    reason=None,
    detail=None,
    next_at=None,
    title="The ferry sails again",
    language="en",
    published=None,
    repeats=0,
    event=f"/v1/documents/{ID}?run=1&format=event",
)
BRIEF: Final = RunBrief(
    run=1, state=State.PROCESSED, accepted_at=AT, decided_at=EVENT.time, attempts=1, reason=None, event=RUN.event
)


def state() -> DocumentState:
    """Returns the state of the sample document."""
    return DocumentState(**known(RUN), runs=(BRIEF,), callback=None)


LETTER: Final = ListedLetter(
    id=LETTER_ID,
    reason=Reason.MEMORY,
    cause="the parser reached its memory limit",
    buried_at=AT,
    event_id=f"{LETTER_ID}.1",
    size=48_211,
    retryable=True,
    kind=Kind.HTML,
    url="https://example.com/hostile",
    labels={},
    lane=Lane.INTERACTIVE,
    run=1,
    attempt=2,
    accepted_at=AT,
)
BATCH: Final = BatchBrief(
    id=BATCH_ID,
    name=BATCH_NAME,
    state="open",
    documents=BatchDocuments(accepted=2, waiting=1, processed=0, failed=1, erased=0),
    late=0,
    begun_at=AT,
    closed_at=None,
    completed_at=None,
)


def batch_state() -> BatchState:
    """Returns the state of the sample batch."""
    failed = FailedDocument(id=FAILED_ID, reason=Reason.NOT_FOUND, url="https://example.com/gone")
    return BatchState(**known(BATCH), failures=(failed,), next=None)
