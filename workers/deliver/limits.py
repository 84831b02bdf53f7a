"""The limits of deliveries."""

from dataclasses import dataclass

from contract.deliveries import WEBHOOK_DELAYS_S


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryLimits:
    """Times in seconds, and sizes. They are chosen, unless they say otherwise.

    - An attempt may take `timeout_s` (Standard Webhooks recommends 15 to 30 s). Of the answer `answer_bytes` are read.
    - A failed delivery is made again after each of `delays_s`, longer or shorter by up to the part `jitter`. A receiver
      may ask for a pause of up to `pause_at_most_s`.
    - A webhook to which nothing got through for `disable_after_s` is disabled.
    - A webhook has `at_once` requests under way, and up to `unsettled` outcomes that are not stored yet. One that is
      not ordered goes on reading while fewer than `pending` of its deliveries wait for another attempt, with events of
      fewer than `pending_bytes`: compressed, or as they are while they are not stored.
    - After `down_after` failures one after another a receiver counts as down: once it answers again, all that is
      pending is due.
    - Outcomes are stored every `settle_s`, or when there are `settle_many`. After an error of the ledger it waits
      `pause_s`.
    - Every `poll_s` it stores a heartbeat, and looks for changes and for what is due. A process without a heartbeat for
      `heartbeat_timeout_s` has ended.
    - Finished deliveries are kept for `keep_days` days, and of a webhook the newest `keep_many`. Every `sweep_s` the
      others are deleted.
    - The lag behind the log is measured every `measure_s`.
    - A process posts `callbacks_at_once` callbacks at once, of them `at_once` to one host.
    - A process runs `replays` at once, and each hands on up to `replay_at_once` events at a time. One to a webhook
      waits while `replay_pending` of its deliveries are pending, or have `replay_bytes`, compressed.
    """

    timeout_s: float = 20.0
    answer_bytes: int = 16 * 1024
    delays_s: tuple[float, ...] = WEBHOOK_DELAYS_S
    jitter: float = 0.1
    pause_at_most_s: float = 86_400.0
    disable_after_s: float = 3 * 86_400.0
    at_once: int = 8
    unsettled: int = 500
    pending: int = 1000
    pending_bytes: int = 64 * 1024 * 1024
    down_after: int = 10
    settle_s: float = 0.25
    settle_many: int = 200
    pause_s: float = 1.0
    poll_s: float = 1.0
    heartbeat_timeout_s: float = 5.0
    keep_days: float = 7.0
    keep_many: int = 10_000
    sweep_s: float = 60.0
    measure_s: float = 15.0
    callbacks_at_once: int = 100
    replays: int = 4
    replay_at_once: int = 100
    replay_pending: int = 200
    replay_bytes: int = 16 * 1024 * 1024
