"""The parts of a backup that need neither broker nor database."""

from dataclasses import replace
from pathlib import Path

import pytest

from contract.accepted import acceptance
from contract.broker import LogEntry
from contract.codec import encode
from contract.job import Job, Kind
from contract.timestamps import now
from runtime.backup.entries import EntryWriter, read
from runtime.backup.jobs import undecided
from runtime.backup.manifest import SavedRecord
from runtime.backup.offsets import Offsets, UpTo
from runtime.compressed import writing
from tests.brokers import samples


@pytest.mark.parametrize("bodies", [(), (b"{}", b"", '{"title": "Łódź\\n"}'.encode(), b"\xff\x00\n", b"\n")])
def test_entries_come_back_byte_by_byte(tmp_path: Path, bodies: tuple[bytes, ...]) -> None:
    entries = [LogEntry(7 + number, f"key.{number}", body) for number, body in enumerate(bodies)]
    with writing(tmp_path / "record") as file:
        writer = EntryWriter(file)
        for entry in entries:
            writer.add(entry)
    assert list(read(tmp_path / "record")) == entries
    edges = (7, 6 + len(bodies)) if bodies else (None, None)
    assert writer.saved == SavedRecord(entries=len(bodies), first=edges[0], last=edges[1])


def test_a_place_moves_with_its_entry() -> None:
    offsets = Offsets()
    for saved, restored in ((100, 0), (101, 1), (103, 2), (104, 4)):  # a new segment takes an offset for itself
        offsets.add(saved, restored)
    moved = {place: offsets.moved(place) for place in (5, 99, 100, 101, 102, 103, 104, 900)}
    assert moved == {5: -1, 99: -1, 100: 0, 101: 1, 102: 1, 103: 2, 104: 4, 900: 4}
    assert [place for place in moved if offsets.has(place)] == [100, 101, 103, 104]
    assert Offsets().moved(3) == -1
    assert (UpTo(10).moved(3), UpTo(10).moved(11), UpTo(10).has(10), UpTo(10).has(11)) == (3, 10, True, False)


def accepted(*jobs: Job) -> list[LogEntry]:
    return [LogEntry(0, "", encode([acceptance(job, now()) for job in jobs])), LogEntry(1, "", b"of somebody else")]


def test_the_job_of_a_document_without_a_verdict_is_made_again_if_its_content_is_kept() -> None:
    decided, by_url, by_text, kept = samples.jobs(4)
    by_url = replace(by_url, kind=Kind.URL, url="https://example.com/", content=None, labels={"desk": "sport"}, run=3)
    kept = replace(kept, keep_input=True, owner="ann", batch="monday")
    log = [LogEntry(0, "", encode(samples.processed(decided))), LogEntry(1, "", b"of somebody else")]
    found = undecided(accepted(decided, by_url, by_text, kept, kept), log)
    assert found.lost == [by_text.event_id]
    expected = [
        replace(job, accepted_at=made.accepted_at, trace=None)
        for job, made in zip((by_url, kept), found.jobs, strict=True)
    ]
    assert list(found.jobs) == expected


def test_nothing_is_said_of_documents_that_are_older_than_the_log() -> None:
    (job,) = samples.jobs(1)
    later = b'{"id": "x.1", "time": "2999-01-01T00:00:00Z", "type": "whatever", "data": {}}'
    assert undecided(accepted(job), [LogEntry(50, "", later)]).lost == []
    assert undecided(accepted(job), [LogEntry(0, "", later)]).lost == [job.event_id]
