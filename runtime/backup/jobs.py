"""The documents that were accepted and had no verdict when a backup was made.

RabbitMQ's queues are not in a backup. But the record of acceptances has the URL of each document, and its content if
`COPYDESK_KEEP_INPUT` keeps it: their jobs can be made again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from contract.accepted import Accepted, Input
from contract.broker import LogEntry
from contract.codec import UndecodableError, decode_acceptances
from contract.job import Job, Kind

_FIRST_OF_ALL = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Undecided:
    """Runs without a verdict: jobs that do them, and the ids of those whose content is not kept."""

    jobs: Sequence[Job]
    lost: Sequence[str]


def undecided(accepted: Iterable[LogEntry], log: Iterable[LogEntry]) -> Undecided:
    """Returns what had no verdict. About runs that are older than the log nothing is known: they count as decided."""
    decided, begins = set[str](), _FIRST_OF_ALL
    for number, entry in enumerate(log):
        run, at = _event(entry.body)
        decided.add(run)
        if number == 0 and entry.offset > 0:
            begins = at
    waiting: dict[str, Accepted] = {}
    for entry in accepted:
        for record in _acceptances(entry.body):
            if record.id not in decided and datetime.fromisoformat(record.at) >= begins:
                waiting.setdefault(record.id, record)
    made = {run: _job(record) for run, record in waiting.items()}
    return Undecided(
        [job for job in made.values() if job is not None], [run for run, job in made.items() if job is None]
    )


def _event(body: bytes) -> tuple[str, datetime]:
    try:
        event = orjson.loads(body)
        return str(event["id"]), datetime.fromisoformat(event["time"])
    except (ValueError, LookupError, TypeError):
        return "", _FIRST_OF_ALL  # another program may publish to the log


def _acceptances(body: bytes) -> list[Accepted]:
    try:
        return [record for record in decode_acceptances(body) if isinstance(record, Accepted)]
    except UndecodableError:
        return []  # as above


def _job(record: Accepted) -> Job | None:
    """Returns the job of an accepted run, None if its content is not kept."""
    document_id, _, run = record.id.rpartition(".")
    kept = record.input or Input()
    is_there = record.url is not None if record.kind is Kind.URL else kept.content is not None
    if record.kind is None or not is_there:
        return None
    return Job(
        id=document_id,
        kind=record.kind,
        lane=record.lane,
        accepted_at=record.at,
        url=record.url,
        content=kept.content,
        charset=kept.charset,
        charset_source=kept.charset_source,
        metadata=kept.metadata,
        labels=record.labels,
        options=kept.options,
        run=int(run),
        owner=record.owner,
        keep_input=kept.content is not None,
        batch=record.batch,
        callback_url=record.callback_url,
    )
