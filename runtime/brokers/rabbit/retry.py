"""Repeats a call until it succeeds, with jittered backoff."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import stamina

from runtime.brokers.rabbit.limits import RabbitLimits

T = TypeVar("T")


async def retry_until_done(call: Callable[[], Awaitable[T]], *, on: type[Exception], limits: RabbitLimits) -> T:
    """Returns the result of `call`, which is repeated as long as it raises `on`. Cancel it to end it."""
    try:
        return await call()  # without stamina, which takes as much time as half a publish (measured)
    except on:
        await asyncio.sleep(random.uniform(0, limits.backoff_initial_s))  # noqa: S311 - spreads load, guards nothing
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
