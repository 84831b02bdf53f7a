"""/v1/replays: a part of the log sent again, to a webhook, a queue, or as a download."""

from typing import Final

from contract.keys import ANONYMOUS, Scope
from contract.replay_request import ReplayRequest
from contract.replays import ReplayState, ReplayTarget
from contract.webhooks import Documents
from service import problems
from service.api import samples
from service.api.answers import ReplayList, ShownReplay
from service.api.events import LINE, LINES_TYPE
from service.api.headers import TAGGED
from service.api.lookups import ID_CURSOR, IF_NONE_MATCH, LIMIT, NOT_MODIFIED
from service.api.operation import JSON, Example, Header, Link, Location, Operation, Parameter, Response

REPLAY_ID: Final = Parameter(
    name="id",
    location=Location.PATH,
    required=True,
    about="The replay's id.",
    schema={"type": "string", "minLength": 1},
)
REPLAYED_PATTERN: Final = "^[0-9]{1,18}$"

_GROUP = "Replays"
_LEDGER = (problems.INVALID_PARAMETER, problems.LEDGER_NOT_CONFIGURED, problems.LEDGER_UNAVAILABLE)
_ONE = (*_LEDGER, problems.NOT_FOUND)
_BODY = (problems.MALFORMED_BODY, problems.BODY_TIMEOUT, problems.CONTENT_TOO_LARGE, problems.INVALID_REPLAY)
_SHOWN = ShownReplay(
    id=samples.REPLAY_ID,
    owner=ANONYMOUS,
    target=ReplayTarget.DOWNLOAD,
    webhook=None,
    queue=None,
    events=f"/v1/replays/{samples.REPLAY_ID}/events",
    documents=Documents.ALL,
    patterns=("processed.en.#",),
    filter="confidence >= 0.8",
    since=None,
    before=None,
    after=-1,
    until=41,
    per_second=100,
    state=ReplayState.RUNNING,
    cause=None,
    place=-1,
    progress=0.0,
    read=0,
    sent=0,
    delivered=0,
    failed=0,
    pending=0,
    created_at=samples.AT,
    updated_at=samples.AT,
    ended_at=None,
)
_MISSING = Example(
    about="No such replay.",
    values={"id": samples.MISSING_ID},
    status=404,
    answer_type=problems.MEDIA_TYPE,
    answer=problems.NOT_FOUND,
)

LIST_REPLAYS: Final = Operation(
    id="list_replays",
    method="GET",
    path="/v1/replays",
    scope=Scope.READ,
    group=_GROUP,
    summary="List the replays",
    about="Those of the caller's owner; with the scope `admin` those of all. The newest first.",
    parameters=(
        LIMIT,
        ID_CURSOR,
        IF_NONE_MATCH,
    ),
    responses=(
        Response(
            status=200,
            about="A page.",
            content={JSON: ReplayList},
            headers=TAGGED,
            links=(Link(name="show", to="show_replay", parameter="id", value="$response.body#/replays/0/id"),),
        ),
        NOT_MODIFIED,
    ),
    problems=_LEDGER,
    examples={"all": Example(about="All of them.", answer=ReplayList(replays=(_SHOWN,), next=None))},
)
MAKE_REPLAY: Final = Operation(
    id="make_replay",
    method="POST",
    path="/v1/replays",
    scope=Scope.SUBMIT,
    group=_GROUP,
    summary="Send a part of the log again",
    about=(
        "To a webhook of the caller, to a queue on RabbitMQ, or as a download. Each event is sent at least once. "
        "`queue` and `documents: all` need the scope `admin`."
    ),
    bodies={JSON: ReplayRequest},
    responses=(
        Response(
            status=201,
            about="It is stored, and begins within seconds; a download begins when it is fetched.",
            content={JSON: ShownReplay},
            headers=(Header("Location", "The replay's place: `/v1/replays/{id}`."),),
        ),
    ),
    problems=(*_LEDGER, *_BODY, problems.TOO_MANY_REPLAYS, problems.POSITION_GONE, problems.BROKER_UNAVAILABLE),
    examples={
        "download": Example(
            about="All good articles in English that are in the log.",
            media_type=JSON,
            body={"download": True, "patterns": ["processed.en.#"], "filter": "confidence >= 0.8"},
            status=201,
            answer=_SHOWN,
        ),
        "webhook": Example(
            about="An hour, to a webhook.",
            media_type=JSON,
            body={
                "webhook": samples.WEBHOOK_ID,
                "since": "2026-11-28T12:00:00Z",
                "before": "2026-11-28T13:00:00Z",
                "per_second": 10,
            },
            status=201,
        ),
        "no target": Example(
            about="Nowhere to send to.",
            media_type=JSON,
            body={"after": 7},
            status=422,
            answer_type=problems.MEDIA_TYPE,
            answer=problems.INVALID_REPLAY,
        ),
    },
)
SHOW_REPLAY: Final = Operation(
    id="show_replay",
    method="GET",
    path="/v1/replays/{id}",
    scope=Scope.READ,
    group=_GROUP,
    summary="How far a replay has come",
    parameters=(REPLAY_ID, IF_NONE_MATCH),
    responses=(
        Response(status=200, about="The replay.", content={JSON: ShownReplay}, headers=TAGGED),
        NOT_MODIFIED,
    ),
    problems=_ONE,
    examples={
        "one": Example(about="A download.", values={"id": samples.REPLAY_ID}, answer=_SHOWN),
        "missing": _MISSING,
    },
)
GET_REPLAYED: Final = Operation(
    id="get_replayed",
    method="GET",
    path="/v1/replays/{id}/events",
    scope=Scope.READ,
    group=_GROUP,
    summary="Download the events of a replay",
    about=(
        "A JSON object a line, as `GET /v1/events` has them; compressed with gzip if `Accept-Encoding` has it. "
        "A download that breaks off goes on with the last offset as `after`."
    ),
    parameters=(
        REPLAY_ID,
        Parameter(
            name="after",
            about="Those behind this log offset.",
            schema={"type": "string", "pattern": REPLAYED_PATTERN},
        ),
        Parameter(
            name="Accept-Encoding",
            location=Location.HEADER,
            about="`gzip`: the lines come compressed.",
            schema={"type": "string"},
        ),
    ),
    responses=(
        Response(
            status=200,
            about="The events. The last line says why the stream ends.",
            content={LINES_TYPE: LINE},
            headers=(
                Header("Cache-Control", "`no-cache`."),
                Header("X-Accel-Buffering", "`no`: a proxy passes each event on at once."),
                Header("Content-Encoding", "`gzip` if it is compressed.", required=False),
                Header("Vary", "`Accept-Encoding`."),
            ),
        ),
    ),
    problems=(*_ONE, problems.REPLAY_NOT_RUNNING, problems.TOO_MANY_STREAMS),
    examples={
        "all": Example(about="All of them.", values={"id": samples.REPLAY_ID}, answer_type=LINES_TYPE),
        "missing": _MISSING,
    },
)
CANCEL_REPLAY: Final = Operation(
    id="cancel_replay",
    method="POST",
    path="/v1/replays/{id}/cancel",
    scope=Scope.SUBMIT,
    group=_GROUP,
    summary="Cancel a replay",
    about="Nothing more is sent, but for what is on its way. Deliveries to a webhook that are pending are dropped.",
    parameters=(REPLAY_ID,),
    responses=(Response(status=200, about="It is cancelled.", content={JSON: ShownReplay}),),
    problems=(*_ONE, problems.REPLAY_NOT_RUNNING),
    examples={
        "one": Example(about="One that runs.", values={"id": samples.REPLAY_ID}),
        "missing": _MISSING,
    },
)
RESUME_REPLAY: Final = Operation(
    id="resume_replay",
    method="POST",
    path="/v1/replays/{id}/resume",
    scope=Scope.SUBMIT,
    group=_GROUP,
    summary="Let a replay go on",
    about="One that failed or was cancelled goes on where it ended. Some events may be sent a second time.",
    parameters=(REPLAY_ID,),
    responses=(Response(status=200, about="It runs.", content={JSON: ShownReplay}),),
    problems=(*_ONE, problems.REPLAY_NOT_STOPPED),
    examples={
        "one": Example(about="One that was cancelled.", values={"id": samples.STOPPED_REPLAY_ID}),
        "missing": _MISSING,
    },
)
