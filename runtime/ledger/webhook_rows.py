"""Webhooks and deliveries as rows, and back."""

import sys
from collections.abc import Mapping
from typing import Any

import orjson

from contract.webhooks import Delivery, DeliveryState, DisabledCause, Documents, Payload, Webhook
from runtime.ledger.times import maybe_milliseconds, maybe_time_of, milliseconds, time_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def settable(webhook: Webhook) -> dict[str, Any]:
    """Returns the columns of what an owner may change."""
    return {
        "url": webhook.url,
        "patterns": orjson.dumps(list(webhook.patterns)).decode(),
        "filter": webhook.filter,
        "documents": webhook.documents,
        "payload": webhook.payload,
        "ordered": webhook.ordered,
        "enabled": webhook.enabled,
        "description": webhook.description,
        "secret": webhook.secret,
        "former": webhook.former,
        "former_until_ms": maybe_milliseconds(webhook.former_until),
        "version": webhook.version,
        "updated_ms": milliseconds(webhook.updated_at),
        "failing_since_ms": maybe_milliseconds(webhook.failing_since),
        "missed_ms": maybe_milliseconds(webhook.missed_at),
        "disabled_cause": webhook.disabled_cause,
        "disabled_ms": maybe_milliseconds(webhook.disabled_at),
        "is_told": webhook.is_told,
    }


def webhook_row(webhook: Webhook) -> dict[str, Any]:
    """Returns all columns of a new webhook."""
    return settable(webhook) | {
        "id": webhook.id,
        "owner": webhook.owner,
        "created_ms": milliseconds(webhook.created_at),
        "place": webhook.place,
        "holder": None,
        "fence": 0,
    }


def webhook_of(row: Mapping[str, Any]) -> Webhook:
    """Returns the webhook in a row."""
    return Webhook(
        id=row["id"],
        owner=row["owner"],
        url=row["url"],
        patterns=tuple(orjson.loads(row["patterns"])),
        filter=row["filter"],
        documents=Documents(row["documents"]),
        payload=Payload(row["payload"]),
        ordered=row["ordered"],
        enabled=row["enabled"],
        description=row["description"],
        secret=row["secret"],
        former=row["former"],
        former_until=maybe_time_of(row["former_until_ms"]),
        version=row["version"],
        created_at=time_of(row["created_ms"]),
        updated_at=time_of(row["updated_ms"]),
        place=row["place"],
        failing_since=maybe_time_of(row["failing_since_ms"]),
        missed_at=maybe_time_of(row["missed_ms"]),
        disabled_cause=None if row["disabled_cause"] is None else DisabledCause(row["disabled_cause"]),
        disabled_at=maybe_time_of(row["disabled_ms"]),
        is_told=row["is_told"],
    )


def delivery_row(delivery: Delivery) -> dict[str, Any]:
    """Returns the columns of a delivery. PostgreSQL has no U+0000 in texts."""
    return {
        "id": delivery.id,
        "webhook_id": delivery.webhook_id,
        "event_id": delivery.event_id,
        "event_type": delivery.event_type,
        "document_id": delivery.document_id,
        "log_offset": delivery.offset,
        "state": delivery.state.value,  # drivers take long over other kinds of texts
        "requested": delivery.requested,
        "attempts": delivery.attempts,
        "created_ms": milliseconds(delivery.created_at),
        "next_ms": maybe_milliseconds(delivery.next_at),
        "last_ms": maybe_milliseconds(delivery.last_at),
        "status": delivery.status,
        "error": delivery.error,
        "took_ms": delivery.took_ms,
        "excerpt": None if delivery.excerpt is None else delivery.excerpt.replace("\0", ""),
        "body": None if delivery.body is None else zstd.compress(delivery.body),
        "replay_id": delivery.replay_id,
    }


def delivery_of(row: Mapping[str, Any]) -> Delivery:
    """Returns the delivery in a row. It has a body if the row has one."""
    body = row.get("body")
    return Delivery(
        id=row["id"],
        webhook_id=row["webhook_id"],
        event_id=row["event_id"],
        event_type=row["event_type"],
        document_id=row["document_id"],
        offset=row["log_offset"],
        state=DeliveryState(row["state"]),
        requested=row["requested"],
        attempts=row["attempts"],
        created_at=time_of(row["created_ms"]),
        next_at=maybe_time_of(row["next_ms"]),
        last_at=maybe_time_of(row["last_ms"]),
        status=row["status"],
        error=row["error"],
        took_ms=row["took_ms"],
        excerpt=row["excerpt"],
        body=None if body is None else zstd.decompress(body),
        replay_id=row["replay_id"],
    )
