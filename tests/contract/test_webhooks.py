"""The secrets of webhooks."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from contract.webhooks import Webhook, is_secret, new_id, new_secret

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def secret(size: int) -> str:
    return "whsec_" + base64.b64encode(bytes(size)).decode()


def test_a_new_secret_is_one_and_like_no_other() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(is_secret(it) for it in made)


@pytest.mark.parametrize(("size", "fine"), [(23, False), (24, True), (64, True), (65, False)])
def test_a_secret_has_as_many_bits_as_the_standard_asks_for(size: int, fine: bool) -> None:
    assert is_secret(secret(size)) == fine


@pytest.mark.parametrize(
    "text", ["", "whsec_", secret(32)[6:], "whsec_" + "é" * 40, secret(32) + "*", "whsec_" + "A" * 41]
)
def test_what_has_another_form_is_none(text: str) -> None:
    assert not is_secret(text)


def test_the_former_secret_signs_for_a_while() -> None:
    webhook = Webhook(
        id=new_id(),
        owner="ann",
        url="https://example.com/",
        secret="new",
        former="old",
        former_until=NOW,
        created_at=NOW,
        updated_at=NOW,
    )
    assert webhook.secrets_at(NOW - timedelta(seconds=1)) == ("new", "old")
    assert webhook.secrets_at(NOW) == ("new",)


def test_no_secret_is_in_the_text_of_a_webhook() -> None:
    made = new_secret()
    webhook = Webhook(id="1", owner="a", url="u", secret=made, former=made, created_at=NOW, updated_at=NOW)
    assert made not in repr(webhook)
