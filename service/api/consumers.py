"""Named consumers: /v1/consumers."""

from typing import Final

from contract.keys import NAME, Scope
from service import problems
from service.api import samples
from service.api.answers import CommitRequest, ConsumerList, ConsumerState
from service.api.headers import TAGGED
from service.api.lookups import IF_NONE_MATCH, NOT_MODIFIED
from service.api.operation import JSON, Example, Location, Operation, Parameter, Response, text

MAX_OFFSET: Final = 10**18 - 1  # of the log; chosen: 18 digits, as `after` takes them
MAX_CONSUMERS: Final = 100  # of an owner; chosen: far more than programs of one owner that follow the log

_GROUP = "Events"
_PROBLEMS = (problems.INVALID_PARAMETER, problems.LEDGER_NOT_CONFIGURED, problems.LEDGER_UNAVAILABLE)
_NAME: Final = Parameter(
    name="name",
    location=Location.PATH,
    required=True,
    about="The consumer's name.",
    schema=text(least=1, most=64, pattern=f"^{NAME.pattern}$"),
)
_MISSING: Final = Example(
    about="No such consumer.",
    values={"name": "nobody"},
    status=404,
    answer_type=problems.MEDIA_TYPE,
    answer=problems.NOT_FOUND,
)

LIST_CONSUMERS: Final = Operation(
    id="list_consumers",
    method="GET",
    path="/v1/consumers",
    scope=Scope.ADMIN,
    group=_GROUP,
    summary="The caller's consumers",
    about="`GET /v1/events?consumer=NAME` makes one.",
    parameters=(IF_NONE_MATCH,),
    responses=(Response(status=200, about="By name.", content={JSON: ConsumerList}, headers=TAGGED), NOT_MODIFIED),
    problems=_PROBLEMS,
    examples={"all": Example(about="All of them.", answer=ConsumerList(consumers=(samples.CONSUMER,)))},
)
COMMIT_OFFSET: Final = Operation(
    id="commit_offset",
    method="POST",
    path="/v1/consumers/{name}/commit",
    scope=Scope.ADMIN,
    group=_GROUP,
    summary="All events up to an offset are done",
    about="The next connection of this consumer begins behind it. An offset moves forward only.",
    parameters=(_NAME,),
    bodies={JSON: CommitRequest},
    responses=(Response(status=200, about="The consumer.", content={JSON: ConsumerState}),),
    problems=(
        *_PROBLEMS,
        problems.MALFORMED_BODY,
        problems.INVALID_SUBMISSION,
        problems.CONTENT_TOO_LARGE,
        problems.BODY_TIMEOUT,
        problems.NOT_FOUND,
    ),
    examples={
        "done": Example(
            about="The events up to this offset are stored.",
            values={"name": samples.CONSUMER.name},
            media_type=JSON,
            body={"offset": samples.CONSUMER.offset},
            answer=samples.CONSUMER,
        ),
        "no offset": Example(
            about="A body without an offset.",
            values={"name": samples.CONSUMER.name},
            media_type=JSON,
            body={"place": 7},
            status=422,
            answer_type=problems.MEDIA_TYPE,
            answer=problems.INVALID_SUBMISSION,
        ),
    },
)
REMOVE_CONSUMER: Final = Operation(
    id="remove_consumer",
    method="DELETE",
    path="/v1/consumers/{name}",
    scope=Scope.ADMIN,
    group=_GROUP,
    summary="Remove a consumer",
    about="Its connection ends within seconds. One that is made with the same name begins anew.",
    parameters=(_NAME,),
    responses=(Response(status=204, about="It is removed."),),
    problems=(*_PROBLEMS, problems.NOT_FOUND),
    examples={"one": Example(about="One.", values={"name": samples.CONSUMER.name}, status=204), "missing": _MISSING},
)
