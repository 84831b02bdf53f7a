"""The trace of a fetch: requested URLs, statuses, sizes and times."""

from dataclasses import dataclass, field

from yarl import URL

from contract.article import Fetched
from workers.fetch.body import Transfer


@dataclass(slots=True)
class FetchTrace:
    """The trace of a fetch so far. Failed fetches report it, too.

    `asked` is the first URL, `url` the current one; `passed` are those before it. `status`, `media_type`, `transfer`
    and `first_byte_s` describe the answer from `url` and are empty until it comes. `spent_s` is the time of all
    requests.
    """

    asked: URL
    url: URL
    passed: tuple[str, ...] = ()
    passed_statuses: tuple[int, ...] = ()
    status: int | None = None
    media_type: str | None = None
    transfer: Transfer = field(default_factory=Transfer)
    first_byte_s: float | None = None
    spent_s: float = 0.0

    def answered(self, status: int, media_type: str, first_byte_s: float) -> None:
        """Records the status and the declared media type (empty if there is none) of the answer."""
        self.status = status
        self.media_type = media_type or None
        self.first_byte_s = first_byte_s

    def go_on(self, target: URL) -> None:
        """Records that the answer leads to `target`, which is requested next."""
        self.passed += (str(self.url),)
        self.passed_statuses += (self.status or 0,)
        self.url, self.status, self.media_type, self.first_byte_s = target, None, None, None
        self.transfer = Transfer()

    def fetched(self) -> Fetched:
        """Returns the trace in the form that events have."""
        return Fetched(
            url=str(self.url),
            status=self.status,
            media_type=self.media_type,
            redirects=self.passed,
            redirect_statuses=self.passed_statuses,
            size=self.transfer.size,
            transferred_bytes=self.transfer.transferred_bytes,
            first_byte_s=None if self.first_byte_s is None else round(self.first_byte_s, 6),
            total_s=round(self.spent_s, 6),
        )
