"""Messages of every version that was ever sent must decode for ever: samples are added, never changed."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from contract.codec import decode_event, decode_job, encode
from contract.events import FailedEvent, ProcessedEvent
from contract.job import Kind, Lane

GOLDEN = Path(__file__).parent.parent / "golden"


def sample(name: str) -> bytes:
    return (GOLDEN / f"{name}.json").read_bytes()


def test_every_sample_is_tested() -> None:
    names = {path.stem for path in GOLDEN.glob("*.json")}
    assert names == {"job.v1.full", "job.v1.least", "document.processed.v1.full", "document.failed.v1.full"}


def test_a_full_job_loses_nothing() -> None:
    assert orjson.loads(encode(decode_job(sample("job.v1.full")))) == orjson.loads(sample("job.v1.full"))


def test_a_job_with_the_least_fields_gets_the_defaults() -> None:
    job = decode_job(sample("job.v1.least"))
    assert (job.kind, job.lane, job.attempt, job.run, job.version) == (Kind.URL, Lane.INTERACTIVE, 1, 1, 1)
    assert (job.content, job.labels, job.history) == (None, {}, ())


@pytest.mark.parametrize(
    ("name", "kind"), [("document.processed.v1.full", ProcessedEvent), ("document.failed.v1.full", FailedEvent)]
)
def test_a_full_event_loses_nothing(name: str, kind: type[Any]) -> None:
    event = decode_event(sample(name))
    assert isinstance(event, kind)
    assert orjson.loads(encode(event)) == orjson.loads(sample(name))
