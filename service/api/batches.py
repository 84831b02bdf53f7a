"""GET /v1/batches, GET /v1/batches/{id} and POST /v1/batches/{id}/close."""

from dataclasses import replace
from typing import Final

from contract.keys import Scope
from service import problems
from service.api import samples
from service.api.document_answers import BatchClosing, BatchList, BatchState
from service.api.headers import RETRY_AFTER, TAGGED
from service.api.lookups import IF_NONE_MATCH, LIMIT, NOT_MODIFIED
from service.api.operation import JSON, Example, Link, Location, Operation, Parameter, Response
from service.api.posting import BATCH

_GROUP: Final = "Batches"
_LEDGER_PROBLEMS: Final = (
    problems.INVALID_PARAMETER,
    problems.LEDGER_NOT_CONFIGURED,
    problems.LEDGER_UNAVAILABLE,
)
_NOT_MODIFIED: Final = replace(NOT_MODIFIED, headers=TAGGED)

BATCH_ID: Final = Parameter(
    name="id",
    location=Location.PATH,
    required=True,
    about="The id that the receipts named as `batch`.",
    schema={"type": "string", "minLength": 1},
)
CURSOR: Final = Parameter(
    name="cursor",
    about="Behind the page that named it as its `next`.",
    schema={"type": "string", "minLength": 1},
)
_MISSING: Final = Example(
    about="An id that is not known.",
    values={"id": samples.MISSING_ID},
    status=404,
    answer_type=problems.MEDIA_TYPE,
    answer=problems.NOT_FOUND,
)

LIST_BATCHES: Final = Operation(
    id="list_batches",
    method="GET",
    path="/v1/batches",
    scope=Scope.READ,
    group=_GROUP,
    summary="List batches, newest first",
    about="Those of the caller; with the scope `admin` all.",
    parameters=(Parameter(name="name", about="With this name.", schema=BATCH.schema), LIMIT, CURSOR, IF_NONE_MATCH),
    responses=(
        Response(
            status=200,
            about="A page.",
            content={JSON: BatchList},
            headers=TAGGED,
            links=(Link(name="next page", to="list_batches", parameter="cursor", value="$response.body#/next"),),
        ),
        _NOT_MODIFIED,
    ),
    problems=_LEDGER_PROBLEMS,
    examples={
        "by name": Example(
            about="The batch of this name.",
            values={"name": samples.BATCH_NAME},
            answer=BatchList(batches=(samples.BATCH,), next=None),
        )
    },
)
SHOW_BATCH: Final = Operation(
    id="show_batch",
    method="GET",
    path="/v1/batches/{id}",
    scope=Scope.READ,
    group=_GROUP,
    summary="How far a batch is",
    about=(
        "How many documents it has, by state, and those that failed, in pages. "
        "It is there a moment after its first document."
    ),
    parameters=(BATCH_ID, LIMIT, CURSOR, IF_NONE_MATCH),
    responses=(
        Response(status=200, about="Here it is.", content={JSON: BatchState}, headers=TAGGED),
        _NOT_MODIFIED,
    ),
    problems=(*_LEDGER_PROBLEMS, problems.NOT_FOUND),
    examples={
        "state": Example(
            about="A batch with a document that failed.", values={"id": samples.BATCH_ID}, answer=samples.batch_state()
        ),
        "missing": _MISSING,
    },
)
CLOSE_BATCH: Final = Operation(
    id="close_batch",
    method="POST",
    path="/v1/batches/{id}/close",
    scope=Scope.SUBMIT,
    group=_GROUP,
    summary="Close a batch",
    about=(
        "No documents follow. Wait for all receipts before: what is accepted later does not belong to the batch. "
        "When all its documents are decided, the event `copydesk.batch.completed.v1` tells so."
    ),
    parameters=(BATCH_ID,),
    responses=(
        Response(
            status=202,
            about="It is on record. The look-up tells what comes of it.",
            content={JSON: BatchClosing},
            headers=(RETRY_AFTER,),
        ),
    ),
    problems=(problems.INVALID_PARAMETER, problems.NOT_FOUND, problems.BROKER_UNAVAILABLE),
    examples={
        "close": Example(
            about="The batch of the receipts.",
            values={"id": samples.BATCH_ID},
            status=202,
            answer=BatchClosing(id=samples.BATCH_ID, close="requested"),
        ),
        "missing": _MISSING,
    },
)
