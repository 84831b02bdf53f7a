"""Builds the role `deliver` from the settings. Separate from `wiring`, so that other roles do not load it."""

import asyncio
from collections.abc import Callable
from ipaddress import ip_network

from contract.metrics import Metrics
from contract.timestamps import now
from contract.tracing import Tracer
from runtime.errors import StartError
from runtime.fetching import user_agent
from runtime.ledger import opening
from runtime.settings import PREFIX, Settings
from workers.deliver.callbacks import CallbackContext, Callbacks
from workers.deliver.deliverer import DeliverBroker, Deliverer
from workers.deliver.limits import DeliveryLimits
from workers.deliver.receiver import ReceiverReach, Receivers
from workers.deliver.traces import Posting


async def deliver(  # noqa: PLR0913, PLR0917 - what the role stands on
    settings: Settings,
    broker: DeliverBroker,
    metrics: Metrics,
    tracer: Tracer,
    stop: asyncio.Event,
    started: Callable[[], None],
) -> None:
    """Delivers to webhooks until `stop` is set. Calls `started` when it begins.

    Raises:
        StartError: there is no ledger, or a setting is invalid.
    """
    limits = _limits(settings)
    async with (
        opening.open_deliveries(settings) as (store, replays, callbacks),
        Receivers(_reach(settings), timeout_s=limits.timeout_s, answer_bytes=limits.answer_bytes) as receivers,
    ):
        posting, callbacks_posted = Posting(receivers, tracer), None
        if settings.callback_secret is not None:
            secret = settings.callback_secret.get_secret_value()
            callbacks_posted = Callbacks(
                CallbackContext(
                    store=callbacks, posting=posting, secret=secret, metrics=metrics, limits=limits, clock=now
                )
            )
        started()
        deliverer = Deliverer(
            broker, store, replays, posting, metrics=metrics, limits=limits, clock=now, callbacks=callbacks_posted
        )
        await deliverer.run(stop)


def refuse_wrong_webhook_settings(settings: Settings) -> None:
    """Checks what only the role `deliver` reads.

    Raises:
        StartError: there is no ledger, or a setting is invalid.
    """
    if settings.ledger() is None:
        raise StartError("deliver needs the ledger, which keeps the webhooks: set COPYDESK_LEDGER_URL")
    for network in settings.webhook_allow:
        try:
            ip_network(network)
        except ValueError:
            raise StartError(f"settings: {PREFIX}WEBHOOK_ALLOW: {network!r} is no network as 10.0.0.0/8") from None
    if not settings.webhook_retry_delays_s or min(settings.webhook_retry_delays_s) <= 0:
        raise StartError(f"settings: {PREFIX}WEBHOOK_RETRY_DELAYS_S: it must have delays above 0")


def _limits(settings: Settings) -> DeliveryLimits:
    return DeliveryLimits(
        timeout_s=settings.webhook_timeout_s,
        delays_s=settings.webhook_retry_delays_s,
        disable_after_s=settings.webhook_disable_days * 86_400,
        at_once=settings.webhook_at_once,
        keep_days=settings.webhook_keep_days,
    )


def _reach(settings: Settings) -> ReceiverReach:
    return ReceiverReach(
        networks=settings.webhook_allow,
        ports=settings.webhook_allow_ports,
        user_agent=user_agent(settings.fetch_contact),
    )
