"""How long and how much: every timeout and bound of the RabbitMQ broker."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RabbitLimits:
    """Timeouts in seconds, and bounds.

    - `backoff_initial_s` lies between the first two tries to open a session, `backoff_max_s` is the longest such wait.
    - `reopen_pause_s` is the most to wait after a session was lost.
    - `redeclare_pause_s` is the wait before a queue that is gone is declared again. RabbitMQ 3.10 never tells the
      consumers of a queue that is back within some 30 ms: they stay silent for ever (measured).
    - `publish_timeout_s` is for one `put`, under the 5 s in which HTTP answers.
    - `confirm_timeout_s` is for one try at carrying out a verdict, which is tried while the delivery's session lives.
    - `second_opinion_s`: a message that is refused is offered again on a new channel, once in so many seconds. RabbitMQ
      3.10 refuses all on a channel that first published to a quorum queue while its leader was gone, until that node is
      back, however soon another one leads.
    - `failure_log_pause_s` lies between two log lines on publishes that failed for one cause; a metric counts them all.
    - `fresh_confirm_s` is how long a confirm shows that publishing works; later a probe has to, within
      `probe_timeout_s`. A consumer's connection is asked as often. Both together are less than a heartbeat: it takes
      three of them, and 3 s more, until a session ends whose broker fell silent.
    - `subscriber_pauses_s` lie before the further tries to tell subscribers of an event that one of them refused. The
      others get a repeat with each try, so no other event is offered again within `subscriber_rest_s`.
    - `give_back_initial_s` is the wait before a delivery whose handler raised goes back, doubled each time up to
      `give_back_max_s`.
    - `bulk_patience_s`: a bulk job that waited for so long in this process goes before interactive ones. RabbitMQ
      closes the channel of a delivery that is not acked for 30 minutes, and all that is in hand with it.
    - `suspect_pause_s` is how long a job delivered three times or more waits for those that were delivered with it,
      before it runs alone: the one that kills workers must not always be the first to come.
    - A follower of a stream is delivered `follow_prefetch` entries ahead: 384 MiB if each is of 12 MiB, the largest.
      When nothing came for `follow_idle_s` it asks the broker whether that is all.
    - One look at the dead letters ends after `look_letters`, `look_bytes` or `look_timeout_s`, whichever comes first.
      It takes them in batches of about `look_batch_bytes`, and waits `look_idle_s` for a letter that was counted.
    """

    connect_timeout_s: float = 5.0
    declare_timeout_s: float = 30.0
    close_timeout_s: float = 5.0
    heartbeat_s: int = 10
    backoff_initial_s: float = 0.1
    backoff_max_s: float = 10.0
    reopen_pause_s: float = 0.5
    redeclare_pause_s: float = 1.0
    publish_timeout_s: float = 4.0
    confirm_timeout_s: float = 10.0
    outstanding_confirms: int = 256
    second_opinion_s: float = 5.0
    failure_log_pause_s: float = 10.0
    probe_timeout_s: float = 2.0
    fresh_confirm_s: float = 5.0
    subscriber_pauses_s: tuple[float, ...] = (0.05, 0.1, 0.2)
    subscriber_rest_s: float = 10.0
    give_back_initial_s: float = 0.1
    give_back_max_s: float = 10.0
    bulk_patience_s: float = 300.0
    suspect_pause_s: float = 1.0
    read_prefetch: int = 100
    follow_prefetch: int = 32
    follow_idle_s: float = 1.0
    look_letters: int = 10_000
    look_bytes: int = 256 * 1024 * 1024
    look_batch_bytes: int = 8 * 1024 * 1024
    look_timeout_s: float = 10.0
    look_idle_s: float = 1.0
