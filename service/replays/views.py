"""A replay as JSON shows it."""

from contract.replays import Replay, ReplayTarget
from service.api.answers import ShownReplay
from service.lookups.ledger import rfc3339_or_none


def shown_replay(replay: Replay) -> ShownReplay:
    """Returns a replay as JSON shows it."""
    size = replay.until - replay.after
    return ShownReplay(
        id=replay.id,
        owner=replay.owner,
        target=replay.target,
        webhook=replay.webhook_id,
        queue=replay.queue,
        events=f"/v1/replays/{replay.id}/events" if replay.target is ReplayTarget.DOWNLOAD else None,
        documents=replay.documents,
        patterns=tuple(replay.patterns),
        filter=replay.filter,
        since=rfc3339_or_none(replay.since),
        before=rfc3339_or_none(replay.before),
        after=replay.after,
        until=replay.until,
        per_second=replay.per_second,
        state=replay.state,
        cause=replay.cause,
        place=replay.place,
        progress=round((replay.place - replay.after) / size, 4) if size > 0 else 1.0,
        read=replay.read,
        sent=replay.sent,
        delivered=replay.delivered,
        failed=replay.failed,
        pending=replay.pending,
        created_at=rfc3339_or_none(replay.created_at) or "",
        updated_at=rfc3339_or_none(replay.updated_at) or "",
        ended_at=rfc3339_or_none(replay.ended_at),
    )
