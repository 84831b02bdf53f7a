"""Limits of size and time of the embedded broker."""

from dataclasses import dataclass

from contract.job import Lane
from contract.topology import PREVIEW_WAIT_S, Bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedLimits:
    """Limits of the embedded broker.

    `max_jobs` and `max_bytes` equal the policies of `contract.topology`, so that both brokers refuse at the same load.
    The other values are chosen.

    - `max_jobs` and `max_bytes`: for each lane, with delayed and claimed jobs. A put beyond them is refused, a
      retry never.
    - `max_log_events`: the log keeps the newest.
    - `max_requests`: the record of requests about documents keeps the newest; as many as a worker remembers.
    - `publish_timeout_s`: after that a put counts as failed; below the 5 s in which the HTTP side answers.
    - `give_back_delay_s`: how long a delivery waits after its handler raised.
    - `disk_pause_s`: between two attempts to write to a disk that refuses.
    - `preview_wait_s`: for so long a preview waits for a worker; as on RabbitMQ.
    - `scan_letters`: one scan reads this many dead letters, the longest buried first; as on RabbitMQ.
    - `follow_pause_s`: a follower of a record reads again this long after it was woken, so that what comes in that time
      comes together; `follow_long_pause_s` where many came the last time; at the latest after `follow_idle_s`.
    """

    max_jobs: int = Bounds().intake_documents
    max_bytes: int = Bounds().intake_bytes
    max_log_events: int = 100_000
    max_requests: int = 100_000
    publish_timeout_s: float = 4.0
    give_back_delay_s: float = 1.0
    disk_pause_s: float = 1.0
    preview_wait_s: float = PREVIEW_WAIT_S
    scan_letters: int = 10_000
    follow_pause_s: float = 0.1
    follow_long_pause_s: float = 0.4
    follow_idle_s: float = 1.0

    @property
    def max_acceptances(self) -> int:
        """The record of acceptances keeps the newest: those of all that waits, and of all that is in the log."""
        return self.max_log_events + len(Lane) * self.max_jobs
