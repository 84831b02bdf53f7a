"""What a stage raises when a document cannot become an article."""

from contract.article import Fetched
from contract.reasons import Reason
from workers.document import NOTHING_KNOWN, Metadata


class Failed(Exception):
    """A stage gave up on the document.

    `retry_after_s` is what the remote side asked for, if it did; `fetched` what had been fetched until then, if
    anything was asked for; `metadata` what the document says of itself, where that was read.
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
        self.reason = reason
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.fetched = fetched
        self.metadata = metadata
