"""What an owner does about a document: cancel it, process it again, erase it."""

from typing import Final

from contract.job import Lane
from contract.keys import Scope
from service import problems
from service.api import samples
from service.api.document_answers import CancelRequested, Erasing, PutRun
from service.api.headers import LOCATION, MAYBE_RETRY_AFTER, RETRY_AFTER
from service.api.lookups import DOCUMENT_ID
from service.api.operation import JSON, Example, Operation, Response
from service.api.posting import IDEMPOTENCY_KEY

_GROUP = "Acting"
_PROBLEMS = (
    problems.INVALID_PARAMETER,
    problems.NOT_FOUND,
    problems.LEDGER_NOT_CONFIGURED,
    problems.LEDGER_UNAVAILABLE,
    problems.BROKER_UNAVAILABLE,
)
_MISSING = Example(
    about="An id that is not known.",
    values={"id": samples.MISSING_ID},
    status=404,
    answer_type=problems.MEDIA_TYPE,
    answer=problems.NOT_FOUND,
)

CANCEL_DOCUMENT: Final = Operation(
    id="cancel_document",
    method="POST",
    path="/v1/documents/{id}/cancel",
    scope=Scope.SUBMIT,
    group=_GROUP,
    summary="Cancel a document",
    about="Whoever takes the document next decides it as failed, with the reason `cancelled`.",
    parameters=(DOCUMENT_ID,),
    responses=(
        Response(
            status=202,
            about="It is on record. The look-up tells what comes of it.",
            content={JSON: CancelRequested},
            headers=(RETRY_AFTER,),
        ),
    ),
    problems=(*_PROBLEMS, problems.ALREADY_DECIDED, problems.NOT_RECORDED, problems.ERASED),
    examples={
        "waiting": Example(about="A document that waits.", values={"id": samples.WAITING_ID}, status=202),
        "decided": Example(
            about="A document that is decided.",
            values={"id": samples.ID},
            status=409,
            answer_type=problems.MEDIA_TYPE,
            answer=problems.ALREADY_DECIDED,
        ),
        "missing": _MISSING,
    },
)
RERUN_DOCUMENT: Final = Operation(
    id="rerun_document",
    method="POST",
    path="/v1/documents/{id}/rerun",
    scope=Scope.SUBMIT,
    charged=True,
    group=_GROUP,
    summary="Process a document again",
    about="The URL is fetched again; text and HTML are processed again if the server kept them.",
    parameters=(DOCUMENT_ID, IDEMPOTENCY_KEY),
    responses=(Response(status=202, about="The next run is stored.", content={JSON: PutRun}, headers=(LOCATION,)),),
    problems=(
        *_PROBLEMS,
        problems.RUN_UNDER_WAY,
        problems.NOTHING_KEPT,
        problems.NOT_RECORDED,
        problems.ERASED,
        problems.CONTENT_TOO_LARGE,
        problems.INTAKE_FULL,
    ),
    examples={
        "failed": Example(
            about="A URL that failed.",
            values={"id": samples.FAILED_ID},
            status=202,
            answer=PutRun(id=samples.FAILED_ID, run=2, lane=Lane.INTERACTIVE),
        ),
        "waiting": Example(
            about="A document that is not decided.",
            values={"id": samples.WAITING_ID},
            status=409,
            answer_type=problems.MEDIA_TYPE,
            answer=problems.RUN_UNDER_WAY,
        ),
        "missing": _MISSING,
    },
)
ERASE_DOCUMENT: Final = Operation(
    id="erase_document",
    method="DELETE",
    path="/v1/documents/{id}",
    scope=Scope.SUBMIT,
    group=_GROUP,
    summary="Erase a document",
    about="From ledger and dead letters. Subscribers are told. The answer says how long the log holds its events.",
    parameters=(DOCUMENT_ID,),
    responses=(
        Response(status=200, about="It is erased.", content={JSON: Erasing}, headers=(MAYBE_RETRY_AFTER,)),
        Response(status=202, about="It is on record: ask again.", content={JSON: Erasing}, headers=(RETRY_AFTER,)),
    ),
    problems=(*_PROBLEMS, problems.NOT_RECORDED),
    examples={
        "erase": Example(
            about="The first request.",
            values={"id": samples.ID},
            status=202,
            answer=Erasing(
                id=samples.ID,
                state="erasing",
                erased_at=samples.AT,
                dead_letters=0,
                more_dead_letters=False,
                log_keeps={"days": 7, "bytes": 20_000_000_000},
            ),
        ),
        "missing": _MISSING,
    },
)
