"""What a caller submits, and the job that it becomes on the intake queues."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from contract.options import Options
from contract.reasons import Reason


class Kind(StrEnum):
    """What was submitted."""

    URL = "url"
    TEXT = "text"
    HTML = "html"


class Lane(StrEnum):
    """Which intake queue a job waits in."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerMetadata:
    """What the caller knows of the document. It wins over what is extracted, and the event says so.

    `published` is an ISO 8601 date or date-time, `language` a BCP 47 tag.
    """

    title: str | None = None
    authors: tuple[str, ...] = ()
    published: str | None = None
    language: str | None = None
    site_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt at a job that ended without a verdict on the document. `at` is RFC 3339, UTC."""

    reason: Reason
    at: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One document on its way through the queues, version 1.

    `content` is the text or HTML submitted (none for a URL); `accepted_at` is RFC 3339, UTC; `attempt` counts from 1
    within a run, `run` from 1 over an operator's retries. `owner` names the API key that posted; it is in no event.
    """

    id: str
    kind: Kind
    lane: Lane
    accepted_at: str
    url: str | None = None
    content: str | None = None
    metadata: CallerMetadata = CallerMetadata()
    labels: Mapping[str, str] = field(default_factory=dict)
    options: Options = field(default_factory=Options)
    attempt: int = 1
    run: int = 1
    history: tuple[Attempt, ...] = ()
    version: int = 1
    owner: str | None = None

    @property
    def event_id(self) -> str:
        """The id of this run's event, `<document id>.<run>`."""
        return f"{self.id}.{self.run}"

    def next_attempt(self, failed: Attempt) -> "Job":
        """Returns the job as it goes round again after `failed`."""
        return replace(self, attempt=self.attempt + 1, history=(*self.history, failed))
