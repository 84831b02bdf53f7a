"""How much the embedded broker holds, and how long it waits."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedLimits:
    """Limits of the embedded broker.

    `max_jobs` and `max_bytes` are for each lane, and count jobs in hand and delayed too; a put beyond them is refused,
    a retry never. Of the log the newest `max_log_events` are kept. A disk that has not confirmed a put after
    `publish_timeout_s` counts as away. `give_back_delay_s` is how long a delivery waits whose handler raised.
    `disk_pause_s` goes by between two tries to write to a disk that refuses. One look at the dead letters goes through
    the `look_letters` that are buried longest. A follower of a record looks again `follow_pause_s` after it was woken,
    so that what comes in that time comes together, and at the latest after `follow_idle_s`.
    """

    max_jobs: int = 100_000
    max_bytes: int = 2_000_000_000
    max_log_events: int = 100_000
    publish_timeout_s: float = 4.0
    give_back_delay_s: float = 1.0
    disk_pause_s: float = 1.0
    look_letters: int = 10_000
    follow_pause_s: float = 0.02
    follow_idle_s: float = 1.0
