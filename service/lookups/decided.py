"""What an event says of the run that it decides, for those who hear of it before the ledger does."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from contract.events import PROCESSED, host_of
from contract.ledger import Run, State
from service.posting.waits import run_of


def with_event(runs: Sequence[Run], event: bytes) -> list[Run]:
    """Returns `runs`, as recorded so far, with the one that `event` decides as it will be recorded."""
    fields = orjson.loads(event)
    run = run_of(event)
    known = next((one for one in runs if one.run == run), None) or Run(
        document_id=fields["subject"], run=run, state=State.ACCEPTED
    )
    decided = known if known.state.decided else _decided(known, fields)
    others = [one for one in runs if one.run != run]
    return sorted([*others, decided], key=lambda one: one.run)


def _decided(known: Run, event: Mapping[str, Any]) -> Run:
    data = event["data"]
    processed = event["type"] == PROCESSED
    history = (data.get("provenance") or {}).get("history") or ()  # with the attempts of earlier runs
    made = len(history) + 1 if known.run == 1 else known.attempts + 1
    return replace(
        known,
        state=State.PROCESSED if processed else State.FAILED,
        decided_at=datetime.fromisoformat(event["time"]),
        kind=known.kind or data.get("kind"),
        url=known.url or data.get("url"),
        host=data.get("host") or host_of(data.get("url")) or known.host,
        labels=known.labels or data.get("labels") or {},
        attempts=data.get("attempts") or made,
        reason=None if processed else data["reason"],
        detail=None if processed else data.get("detail"),
        next_at=None,
        title=data.get("title"),
        language=data.get("language"),
        published=data.get("published"),
    )
