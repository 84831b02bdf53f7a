"""What a stage raises when a document cannot become an article."""

from contract.article import Fetched
from contract.reasons import Reason


class Failed(Exception):
    """A stage gave up on the document.

    `retry_after_s` is what the remote side asked for, if it did; `fetched` what had been fetched until then, if
    anything was asked for.
    """

    def __init__(
        self,
        reason: Reason,
        detail: str = "",
        *,
        retry_after_s: float | None = None,
        fetched: Fetched | None = None,
    ) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.fetched = fetched
