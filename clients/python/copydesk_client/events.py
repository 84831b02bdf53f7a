"""The events, told apart by `type`. Later servers may send further types: ignore those that you do not know."""

from typing import Final

from copydesk_client.schemas import (
    BatchCompletedEvent,
    ErasedEvent,
    FailedEvent,
    ProcessedEvent,
    WebhookDisabledEvent,
    WebhookTestEvent,
)

PROCESSED: Final = "copydesk.document.processed.v1"
FAILED: Final = "copydesk.document.failed.v1"
ERASED: Final = "copydesk.document.erased.v1"
BATCH_COMPLETED: Final = "copydesk.batch.completed.v1"
WEBHOOK_DISABLED: Final = "copydesk.webhook.disabled.v1"
WEBHOOK_TEST: Final = "copydesk.webhook.test.v1"

Verdict = ProcessedEvent | FailedEvent
"""What became of a document."""

Event = Verdict | ErasedEvent | BatchCompletedEvent | WebhookDisabledEvent | WebhookTestEvent
