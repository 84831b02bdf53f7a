"""The failure of a document: a value, and the exceptions that carry it.

Failed           a stage gave up on the document
  HostFailed     ... because its host cannot be used, so that every other document of that host fails in the same way
"""

from dataclasses import dataclass, replace
from typing import Any, Self

from contract.article import Fetched
from contract.reasons import Reason
from workers.document import NOTHING_KNOWN, Metadata


@dataclass(frozen=True, slots=True)
class DocumentFailure:
    """Why an attempt at a document failed, and everything known about the document.

    `retry_after_s` are the seconds after which another attempt makes sense, if known. `fetched` describes the fetch, if
    there was one. `metadata` is the document's own, if it was read.
    """

    reason: Reason
    detail: str = ""
    retry_after_s: float | None = None
    fetched: Fetched | None = None
    metadata: Metadata = NOTHING_KNOWN


class Failed(Exception):
    """A stage could not process the document. `failure` says why.

    The arguments are those fields of `DocumentFailure` that a stage knows by itself. `detail` is for people, and never
    quotes the document.
    """

    def __init__(
        self,
        reason: Reason,
        detail: str = "",
        *,
        retry_after_s: float | None = None,
        fetched: Fetched | None = None,
        metadata: Metadata = NOTHING_KNOWN,
    ) -> None:
        super().__init__(reason, detail)
        self.failure = DocumentFailure(reason, detail, retry_after_s, fetched, metadata)

    @classmethod
    def of(cls, failure: DocumentFailure) -> Self:
        """Returns the exception that carries `failure`."""
        error = cls(failure.reason, failure.detail)
        error.failure = failure
        return error

    @property
    def reason(self) -> Reason:
        return self.failure.reason

    @property
    def detail(self) -> str:
        return self.failure.detail

    @property
    def metadata(self) -> Metadata:
        return self.failure.metadata

    def knowing(self, **known: Any) -> "Failed":  # noqa: ANN401 - the fields' own types
        """Returns this failure with fields that a later stage knows, given by name."""
        return Failed.of(replace(self.failure, **known))


class HostFailed(Failed):
    """The host cannot be used: no address, no connection, no robots.txt. It holds for all URLs of an origin."""
