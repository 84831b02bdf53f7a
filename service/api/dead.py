"""/v1/dead: the dead letters."""

from typing import Final

from contract.keys import Scope
from contract.reasons import Reason
from service import problems
from service.api import samples
from service.api.answers import present
from service.api.dead_answers import Dropped, LetterList, Retried, ShownLetter
from service.api.operation import FLAG, JSON, Example, Link, Location, Operation, Parameter, Response, one_of, whole

MAX_LIMIT: Final = 1000  # letters on a page; chosen to limit the size of an answer
DEFAULT_LIMIT: Final = 100  # letters on a page; chosen: a few screens
ORDERS: Final = ("newest", "oldest")

LETTER_ID: Final = Parameter(
    name="id",
    location=Location.PATH,
    required=True,
    about="A letter's id, or at least its first 8 characters.",
    schema={"type": "string", "minLength": 1},
)
REASON: Final = Parameter(name="reason", about="Those that failed for this reason.", schema=one_of(Reason))
ALL: Final = Parameter(name="all", about="All of them.", schema=FLAG)
BODY: Final = Parameter(name="body", about="Show the message, too, in base64.", schema=FLAG)
MANY: Final = (REASON, ALL)
LIST_PARAMETERS: Final = (
    REASON,
    Parameter(
        name="order",
        about="By the time of the burial.",
        schema={"type": "string", "enum": list(ORDERS), "default": ORDERS[0]},
    ),
    Parameter(name="limit", about="So many at most.", schema=whole(1, MAX_LIMIT, default=DEFAULT_LIMIT)),
    Parameter(
        name="after",
        about="Behind the page that named it as its `next`.",
        schema={"type": "string", "minLength": 1},
    ),
)

_GROUP = "Dead letters"
_PROBLEMS = (problems.INVALID_PARAMETER, problems.BROKER_UNAVAILABLE)
_ONE = (*_PROBLEMS, problems.NOT_FOUND, problems.AMBIGUOUS_ID)
_MISSING = Example(
    about="No such letter.",
    values={"id": samples.MISSING_ID},
    status=404,
    answer_type=problems.MEDIA_TYPE,
    answer=problems.NOT_FOUND,
)
_ALL_OF_A_REASON = {"reason": Reason.MEMORY.value}
_NEITHER = Example(
    about="Neither a reason nor all.",
    status=400,
    answer_type=problems.MEDIA_TYPE,
    answer=problems.INVALID_PARAMETER,
)

LIST_DEAD: Final = Operation(
    id="list_dead",
    method="GET",
    path="/v1/dead",
    scope=Scope.READ,
    group=_GROUP,
    summary="List the dead letters",
    parameters=LIST_PARAMETERS,
    responses=(
        Response(
            status=200,
            about="A page.",
            content={JSON: LetterList},
            links=(
                Link(name="next page", to="list_dead", parameter="after", value="$response.body#/next"),
                Link(name="show", to="show_dead", parameter="id", value="$response.body#/letters/0/id"),
                Link(name="retry", to="retry_dead", parameter="id", value="$response.body#/letters/0/id"),
                Link(name="drop", to="drop_dead", parameter="id", value="$response.body#/letters/0/id"),
            ),
        ),
    ),
    problems=_PROBLEMS,
    examples={
        "of a reason": Example(
            about="Those that took too much memory.",
            values={**_ALL_OF_A_REASON, "limit": 10},
            answer=LetterList(letters=(samples.LETTER,), count=1, next=None, complete=True),
        )
    },
)
SHOW_DEAD: Final = Operation(
    id="show_dead",
    method="GET",
    path="/v1/dead/{id}",
    scope=Scope.READ,
    group=_GROUP,
    summary="Show a dead letter",
    parameters=(LETTER_ID, BODY),
    responses=(Response(status=200, about="All that is known of it.", content={JSON: ShownLetter}),),
    problems=_ONE,
    examples={
        "with body": Example(about="With the message.", values={"id": samples.LETTER_ID, "body": True}),
        "missing": _MISSING,
    },
)
RETRY_DEAD: Final = Operation(
    id="retry_dead",
    method="POST",
    path="/v1/dead/{id}/retry",
    scope=Scope.SUBMIT,
    group=_GROUP,
    summary="Put the next run of a dead letter",
    parameters=(LETTER_ID,),
    responses=(Response(status=202, about="It is on its queue.", content={JSON: Retried}),),
    problems=(*_ONE, problems.NOT_RETRYABLE, problems.INTAKE_FULL),
    examples={
        "one": Example(
            about="It is put again.",
            values={"id": samples.LETTER_ID},
            status=202,
            answer=present(Retried(id=samples.LETTER_ID, retried=1, kept=0, more=False)),
        ),
        "missing": _MISSING,
    },
)
RETRY_MANY: Final = Operation(
    id="retry_many",
    method="POST",
    path="/v1/dead/retry",
    scope=Scope.SUBMIT,
    group=_GROUP,
    summary="Put the next runs of many dead letters",
    about="Of those with a `reason`, or with `all=true` of all: exactly one of the two.",
    parameters=MANY,
    responses=(Response(status=202, about="They are on their queues.", content={JSON: Retried}),),
    problems=(*_PROBLEMS, problems.INTAKE_FULL),
    examples={
        "of a reason": Example(
            about="Those that took too much memory.",
            values=_ALL_OF_A_REASON,
            status=202,
            answer=present(Retried(retried=1, kept=0, more=False)),
        ),
        "neither": _NEITHER,
    },
)
DROP_DEAD: Final = Operation(
    id="drop_dead",
    method="DELETE",
    path="/v1/dead/{id}",
    scope=Scope.SUBMIT,
    group=_GROUP,
    summary="Drop a dead letter",
    parameters=(LETTER_ID,),
    responses=(Response(status=200, about="It is gone.", content={JSON: Dropped}),),
    problems=_ONE,
    examples={
        "one": Example(
            about="It is gone.",
            values={"id": samples.LETTER_ID},
            answer=present(Dropped(id=samples.LETTER_ID, dropped=1, more=False)),
        ),
        "missing": _MISSING,
    },
)
DROP_MANY: Final = Operation(
    id="drop_many",
    method="DELETE",
    path="/v1/dead",
    scope=Scope.SUBMIT,
    group=_GROUP,
    summary="Drop many dead letters",
    about="Those with a `reason`, or with `all=true` all: exactly one of the two.",
    parameters=MANY,
    responses=(Response(status=200, about="They are gone.", content={JSON: Dropped}),),
    problems=_PROBLEMS,
    examples={
        "of a reason": Example(
            about="Those that took too much memory.",
            values=_ALL_OF_A_REASON,
            answer=present(Dropped(dropped=1, more=False)),
        ),
        "neither": _NEITHER,
    },
)
