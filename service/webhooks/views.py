"""Webhooks and deliveries as JSON shows them."""

from contract.webhooks import Delivery, Webhook
from service.api.answers import ShownDelivery, ShownWebhook
from service.lookups.ledger import rfc3339_or_none


def shown_webhook(webhook: Webhook, *, secret: str | None = None) -> ShownWebhook:
    """Returns a webhook as JSON shows it. `secret` is shown if it is given."""
    return ShownWebhook(
        id=webhook.id,
        owner=webhook.owner,
        url=webhook.url,
        patterns=tuple(webhook.patterns),
        filter=webhook.filter,
        documents=webhook.documents,
        payload=webhook.payload,
        ordered=webhook.ordered,
        enabled=webhook.enabled,
        description=webhook.description,
        created_at=rfc3339_or_none(webhook.created_at) or "",
        updated_at=rfc3339_or_none(webhook.updated_at) or "",
        place=webhook.place,
        failing_since=rfc3339_or_none(webhook.failing_since),
        missed_at=rfc3339_or_none(webhook.missed_at),
        disabled_cause=webhook.disabled_cause,
        disabled_at=rfc3339_or_none(webhook.disabled_at),
        former_until=rfc3339_or_none(webhook.former_until),
        secret=secret,
    )


def shown_delivery(delivery: Delivery) -> ShownDelivery:
    """Returns a delivery as JSON shows it."""
    return ShownDelivery(
        id=delivery.id,
        event_id=delivery.event_id,
        event_type=delivery.event_type,
        document_id=delivery.document_id,
        offset=delivery.offset,
        state=delivery.state,
        requested=delivery.requested,
        attempts=delivery.attempts,
        created_at=rfc3339_or_none(delivery.created_at) or "",
        next_at=rfc3339_or_none(delivery.next_at),
        last_at=rfc3339_or_none(delivery.last_at),
        status=delivery.status,
        error=delivery.error,
        took_ms=delivery.took_ms,
        excerpt=delivery.excerpt,
        replay=delivery.replay_id,
    )
