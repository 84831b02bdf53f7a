"""GET /v1/capacity."""

from typing import Final

from contract.keys import Scope
from service import problems
from service.api import samples
from service.api.answers import Capacity, LaneLoad, LaneLoads
from service.api.headers import NOT_KEPT
from service.api.operation import JSON, Example, Operation, Response

WINDOW_S: Final = 120.0  # chosen: "the last minutes"; at 2,000 documents/s the ledger counts 240,000 rows

GET_CAPACITY: Final = Operation(
    id="get_capacity",
    method="GET",
    path="/v1/capacity",
    scope=Scope.READ,
    group="Posting",
    summary="How much waits, and for how long",
    about="The figures are up to a second old.",
    responses=(Response(status=200, about="For each lane.", content={JSON: Capacity}, headers=(NOT_KEPT,)),),
    problems=(problems.INVALID_PARAMETER, problems.BROKER_UNAVAILABLE),
    examples={
        "busy": Example(
            about="Much waits in bulk.",
            answer=Capacity(
                at=samples.AT,
                window_s=WINDOW_S,
                lanes=LaneLoads(
                    interactive=LaneLoad(depth=3, oldest_s=0.2, decided_per_s=4.5, expected_wait_s=0.1),
                    bulk=LaneLoad(depth=12_000, oldest_s=310.0, decided_per_s=35.5, expected_wait_s=300.1),
                ),
                retrying=17,
            ),
        )
    },
)
