"""Whether the Python client trusts a webhook. The requests are signed by the library that Copydesk signs with."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from copydesk_client import BadSignature, verified
from standardwebhooks import Webhook

SECRET = "whsec_" + "QUJD" * 8
OTHER = "whsec_" + "WFla" * 8
BODY = json.dumps({"id": "1.1", "type": "copydesk.document.processed.v1", "data": {"title": "Ä"}}).encode()


def signed(secret: str = SECRET, body: bytes = BODY, age_s: float = 0) -> dict[str, str]:
    at = datetime.now(UTC) - timedelta(seconds=age_s)
    signature = Webhook(secret).sign("1.1", at, body.decode())
    return {"Webhook-Id": "1.1", "Webhook-Timestamp": str(int(at.timestamp())), "Webhook-Signature": signature}


def test_what_is_genuine_is_the_event() -> None:
    assert verified(SECRET, signed(), BODY)["id"] == "1.1"
    assert verified((OTHER, SECRET), signed(), BODY)["id"] == "1.1"
    both = signed() | {
        "Webhook-Signature": f"v1a,AAAA {signed(OTHER)['Webhook-Signature']} {signed()['Webhook-Signature']}"
    }
    assert verified(SECRET, both, BODY)["id"] == "1.1"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (signed(OTHER), BODY),
        (signed(), BODY + b" "),
        (signed() | {"Webhook-Id": "1.2"}, BODY),
        (signed() | {"Webhook-Timestamp": str(int(datetime.now(UTC).timestamp()) + 2)}, BODY),
        (signed(age_s=4_000), BODY),
        (signed(age_s=-4_000), BODY),
        (signed() | {"Webhook-Timestamp": "today"}, BODY),
        (signed() | {"Webhook-Signature": "ä"}, BODY),
        ({}, BODY),
    ],
    ids=["secret", "body", "id", "time", "old", "early", "no time", "no signature", "no headers"],
)
def test_what_is_not_genuine_is_refused(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(BadSignature):
        verified(SECRET, headers, body)


def test_a_secret_that_is_none_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="base64"):
        verified("whsec_?", signed(), BODY)
