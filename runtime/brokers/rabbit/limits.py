"""Every timeout and limit of the RabbitMQ broker."""

from dataclasses import dataclass

from contract.topology import PREVIEW_WAIT_S


@dataclass(frozen=True, slots=True, kw_only=True)
class RabbitLimits:
    """Timeouts in seconds, and limits. (measured) marks a behaviour of RabbitMQ; all else is chosen.

    - `connect_timeout_s`, `declare_timeout_s`, `close_timeout_s` end a step that a broker does not answer. A cluster
      that elects leaders takes seconds for a declaration.
    - `heartbeat_s`: a lost connection is noticed after three of them; RabbitMQ recommends 5 to 20 s.
    - `backoff_initial_s` is the pause between the first two attempts to open a session, `backoff_max_s` the longest.
    - `reopen_pause_s` is the longest pause after a lost session. It is random: processes do not all return at once.
    - `redeclare_pause_s` is the pause before a missing queue is declared again. RabbitMQ 3.10 does not cancel the
      consumers of a queue that is back within some 30 ms: they never receive anything again (measured).
    - `publish_timeout_s` is for one `put`; below the 5 s in which the HTTP side answers.
    - `confirm_timeout_s` is for one attempt at a step of a verdict. It is repeated while the delivery's session lives.
    - `outstanding_confirms` bounds the publishes that are not confirmed yet.
    - `second_opinion_s`: at most once in this time, a refused message is offered again on a new channel. RabbitMQ 3.10
      refuses everything on a channel that first published to a quorum queue while its leader was gone, until that node
      is back (measured).
    - `stream_channel_s`: for so long one channel publishes to a stream, before another takes its place.
    - `failure_log_pause_s` is the pause between two log lines about one cause of failed publishes. A metric counts all.
    - `fresh_confirm_s`: for this long a confirm shows that publishing works. Then a probe must be confirmed within
      `probe_timeout_s`. A consumer's connection is asked as often. Their sum is less than one heartbeat, because a
      silent broker ends a session only after three heartbeats and 3 s.
    - `subscriber_retry_s`: for so long an event is offered again after a subscriber's queue refused it: longer than
      a cluster needs to elect a leader for that queue (up to 4 s on two busy cores, measured). Then the queue counts as
      full. For `subscriber_rest_s` no event is offered twice, because each offer is a repeat for the other subscribers.
      For `subscriber_known_full_s` after that, this time is only `subscriber_recheck_s`: a queue that nobody reads
      may be full for days.
    - `give_back_initial_s` is the pause before a delivery is returned after its handler raised. It doubles each time up
      to `give_back_max_s`.
    - `bulk_max_wait_s`: a bulk job that has waited this long in this process goes before interactive ones. RabbitMQ
      closes the channel of a delivery that is not acked for 30 minutes, with everything in progress.
    - `suspect_pause_s`: from its third delivery on, a job waits this long for others like it before it runs alone. The
      order is random, so that the job that crashes workers is not always the first.
    - `watch_timeout_s`: for a document to be watched; a request that waits for its verdict goes on without it.
    - `preview_wait_s`: for so long a preview waits for a worker; at most the time that its queue allows.
    - `read_prefetch`: entries of the log that are sent ahead to a reader.
    - A follower of a stream is delivered `follow_prefetch` entries ahead: 384 MiB if each is of 12 MiB, the largest.
      When nothing came for `follow_idle_s` it asks the broker whether that is all.
    - One scan of the dead letters ends after `scan_letters`, `scan_bytes` or `scan_timeout_s`, whichever comes first.
      It takes batches of about `scan_batch_bytes`, and waits `scan_idle_s` for a letter that the queue counted.
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
    second_opinion_s: float = 2.0
    stream_channel_s: float = 10.0
    failure_log_pause_s: float = 10.0
    probe_timeout_s: float = 2.0
    fresh_confirm_s: float = 5.0
    subscriber_retry_s: float = 20.0
    subscriber_recheck_s: float = 0.35
    subscriber_rest_s: float = 10.0
    subscriber_known_full_s: float = 600.0
    give_back_initial_s: float = 0.1
    give_back_max_s: float = 10.0
    bulk_max_wait_s: float = 300.0
    suspect_pause_s: float = 1.0
    watch_timeout_s: float = 2.0
    preview_wait_s: float = PREVIEW_WAIT_S
    read_prefetch: int = 100
    follow_prefetch: int = 32
    follow_idle_s: float = 1.0
    scan_letters: int = 10_000
    scan_bytes: int = 256 * 1024 * 1024
    scan_batch_bytes: int = 8 * 1024 * 1024
    scan_timeout_s: float = 10.0
    scan_idle_s: float = 1.0
