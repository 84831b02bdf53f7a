"""Examines the ledger's database."""

from datetime import UTC, datetime

from contract.ledger import LedgerUnavailable
from runtime.doctor import readers
from runtime.doctor.finding import Finding, doubtful, well, wrong
from runtime.errors import StartError
from runtime.ledger import schema
from runtime.ledger.database import ledger_url, now_of, open_engine
from runtime.ledger.progress import log_progress

PART = "ledger"
CLOCK = "clock"

_APART_S = 2.0  # chosen: the audit waits for seconds, and times of documents from several servers are compared
_NO_LEDGER = "look-ups, webhooks and keys of the ledger do not work; documents are taken and processed"


async def examine(url: str, log_edges: tuple[int, int] | None = None) -> list[Finding]:
    """Returns what is found in the database at `url`.

    `log_edges` are the offsets of the oldest and the newest event of the log, None if they are not known.
    """
    engine = open_engine(ledger_url(url))
    try:
        await schema.check(engine)
        theirs = await now_of(engine)
        progress = await log_progress(engine)
    except StartError as error:  # tables of another version, or none
        said, _, remedy = str(error).rpartition(": ")
        return [wrong(PART, said, _NO_LEDGER, remedy)]
    except LedgerUnavailable as error:
        return [wrong(PART, str(error), _NO_LEDGER, "start the database, or correct COPYDESK_LEDGER_URL")]
    finally:
        await engine.dispose()
    found = [well(PART, f"its tables have version {schema.VERSION}"), _clock(theirs, datetime.now(UTC))]
    found.append(readers.recording(progress, theirs))
    return found if log_edges is None else [*found, *readers.retention(progress.readers, *log_edges)]


def _clock(theirs: datetime, ours: datetime) -> Finding:
    apart_s = (ours - theirs).total_seconds()
    if abs(apart_s) < _APART_S:
        return well(CLOCK, f"is {abs(apart_s):.1f} s apart from the database's")
    direction = "ahead of" if apart_s > 0 else "behind"
    why = "times of documents do not agree, and retries come early or late"
    return doubtful(CLOCK, f"is {abs(apart_s):.0f} s {direction} the database's", why, "run NTP on both machines")
