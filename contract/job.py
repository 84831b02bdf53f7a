"""A job: a submitted document on the intake queues."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from contract.charsets import CharsetSource
from contract.idempotency import Idempotency
from contract.options import Options
from contract.reasons import Reason
from contract.tracing import TraceContext


class Kind(StrEnum):
    """The kind of a submission."""

    URL = "url"
    TEXT = "text"
    HTML = "html"


class Lane(StrEnum):
    """The intake queue that a job waits in."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerMetadata:
    """Metadata from the caller. It takes precedence over extracted metadata, and the event names its source.

    `published` is an ISO 8601 date or date-time, `language` a BCP 47 tag.
    """

    title: str | None = None
    authors: tuple[str, ...] = ()
    published: str | None = None
    language: str | None = None
    site_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt at a job that did not decide the document. `at` is RFC 3339, UTC."""

    reason: Reason
    at: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One document in the queues, version 1.

    `content` is the submitted text or HTML (none for a URL). `charset` and `charset_source` say how it was decoded,
    if it came as bytes. `accepted_at` is RFC 3339, UTC. `attempt` counts from 1 in each run, `run` from 1; an
    operator's retry is the next run. `owner` is the name of the API key that posted; it is in no event. With
    `keep_input` the record of acceptances holds the content, too, for a run to come. `idempotency` is None without an
    idempotency key. `batch` is the name of the batch that the document belongs to, None without one. `callback_url` is
    where the event is posted to, None without a callback; it may hold secrets, so it is in no event. `trace` is where
    the document was put, in the trace of its request; None without one.
    """

    id: str
    kind: Kind
    lane: Lane
    accepted_at: str
    url: str | None = None
    content: str | None = None
    charset: str | None = None
    charset_source: CharsetSource | None = None
    metadata: CallerMetadata = CallerMetadata()
    labels: Mapping[str, str] = field(default_factory=dict)
    options: Options = field(default_factory=Options)
    attempt: int = 1
    run: int = 1
    history: tuple[Attempt, ...] = ()
    version: int = 1
    owner: str | None = None
    keep_input: bool = False
    idempotency: Idempotency | None = None
    batch: str | None = None
    callback_url: str | None = field(default=None, repr=False)
    trace: TraceContext | None = None

    @property
    def event_id(self) -> str:
        """The id of this run's event, `<document id>.<run>`."""
        return f"{self.id}.{self.run}"

    def next_attempt(self, failed: Attempt) -> "Job":
        """Returns the job of the next attempt, after `failed`."""
        return replace(self, attempt=self.attempt + 1, history=(*self.history, failed))


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedJob(Job):
    """A job whose content was posted, or is written already, as the JSON string `content_json`.

    A broker stores this string, so it is not written again. Who reads the job gets a `Job`, as of any other.
    """

    content_json: bytes
