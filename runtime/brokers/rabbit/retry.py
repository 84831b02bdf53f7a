"""The one endless retry: with jittered backoff, for as long as it takes."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import stamina

from runtime.brokers.rabbit.limits import RabbitLimits

T = TypeVar("T")


async def retry_until_done(call: Callable[[], Awaitable[T]], *, on: type[Exception], limits: RabbitLimits) -> T:
    """Returns what `call` returns, called again as often as it raises `on`. Cancel it to end it."""
    async for attempt in stamina.retry_context(
        on=on,
        attempts=None,
        timeout=None,
        wait_initial=limits.backoff_initial_s,
        wait_max=limits.backoff_max_s,
        wait_jitter=limits.backoff_initial_s,
    ):
        with attempt:
            return await call()
    raise AssertionError("unlimited attempts ended")
