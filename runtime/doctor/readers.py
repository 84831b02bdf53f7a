"""Examines how far the ledger and all readers of the log are behind, and whether retention comes near them."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from contract.streams import has_begun_to_remove, is_next
from runtime.doctor.finding import Finding, doubtful, well, wrong
from runtime.ledger.progress import LogProgress, Reader

RECORDING = "recording"
RETENTION = "retention"

_BEHIND_S = 60.0  # chosen: `record` writes at least once a second, and a restart takes less
_NEAR = 0.8  # of the log; chosen: who has not read the oldest fifth has some time to come


def recording(progress: LogProgress, now: datetime) -> Finding:
    """Returns whether acceptances up to lately are recorded. `now` is the time of the database's clock."""
    if progress.recorded_at is None:
        return well(RECORDING, "nothing was recorded yet")
    behind_s = (now - progress.recorded_at).total_seconds()
    if behind_s > _BEHIND_S:
        why = "look-ups show documents as they were then, and webhooks of documents that came later wait"
        found = f"the ledger is {behind_s:,.0f} s behind"
        return doubtful(RECORDING, found, why, "start copydesk record; if it runs, see its log and the database's load")
    return well(RECORDING, f"the ledger is {max(0.0, behind_s):.0f} s behind")


def retention(readers: Sequence[Reader], oldest: int, newest: int) -> list[Finding]:
    """Returns who has lost events of the log, or soon will. The log has the offsets from `oldest` to `newest`.

    As long as the log has its first entry, retention has not begun.
    """
    found = list(_late(readers, oldest, newest)) if has_begun_to_remove(oldest) and oldest <= newest else []
    return found or [well(RETENTION, f"the log has {newest - oldest + 1:,} events that all readers may still read")]


def _late(readers: Sequence[Reader], oldest: int, newest: int) -> Iterator[Finding]:
    for reader in readers:
        unread = newest - reader.offset
        if 0 <= reader.offset < oldest and not is_next(oldest, reader.offset):
            remedy = "look the documents up (GET /v1/documents); keep the log for longer: a policy can raise its limits"
            found = f"{reader.name} has not read {oldest - 1 - reader.offset:,} events that the log no longer has"
            yield wrong(RETENTION, found, "it will never get them", remedy)
        elif unread > _NEAR * (newest - oldest + 1):
            found = f"{reader.name} has not read {unread:,} of the {newest - oldest + 1:,} events in the log"
            why = "retention soon removes the oldest of them"
            yield doubtful(RETENTION, found, why, "see why it does not read; a policy can raise the limits of the log")
