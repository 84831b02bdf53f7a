"""Event tokens say whom they stand for to those alone who can check the signature."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.event_tokens import MAX_TOKEN_CHARS, EventToken, opened, sealed, signing_key

KEY, OTHER_KEY = signing_key("s" * 32), signing_key("t" * 32)
TOKEN = EventToken("ann", "0123456789abcdef", 1_795_953_660)


@given(st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True), st.none() | st.just("0123456789abcdef"))
def test_a_token_comes_back_as_it_was_sealed(owner: str, key_id: str | None) -> None:
    token = EventToken(owner, key_id, 1_795_953_660)
    text = sealed(token, KEY)
    assert opened(text, KEY) == token
    assert len(text) <= MAX_TOKEN_CHARS / 2
    assert text.replace("_", "").replace("-", "").replace(".", "").isalnum()


def test_another_secret_does_not_open_it() -> None:
    assert opened(sealed(TOKEN, KEY), OTHER_KEY) is None


@pytest.mark.parametrize("place", range(len(sealed(TOKEN, KEY))))
def test_a_change_of_any_character_makes_it_invalid(place: int) -> None:
    text = sealed(TOKEN, KEY)
    changed = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
    assert opened(changed, KEY) is None


@pytest.mark.parametrize(
    "text", ["", "cdt_", "cdt_.", "cdk_0123456789abcdef_" + "a" * 43, "é" * 50, "cdt_" + "a" * 600]
)
def test_what_is_no_token_is_none(text: str) -> None:
    assert opened(text, KEY) is None


@pytest.mark.parametrize("payload", [b"no JSON", b"[1]", b'{"a": 1}', b"7", b"\xff"])
def test_a_signed_payload_of_another_form_is_none(payload: bytes) -> None:
    form = sealed(TOKEN, KEY)
    assert opened(form, KEY) is not None
    encoded = urlsafe_b64encode(payload).rstrip(b"=").decode()
    from contract import event_tokens  # noqa: PLC0415 - its private part signs what it would not make

    assert opened(f"cdt_{encoded}.{event_tokens._signature(encoded, KEY)}", KEY) is None


def test_it_expires_at_its_second() -> None:
    end = datetime.fromtimestamp(TOKEN.expires_s, UTC)
    assert TOKEN.is_valid_at(end - timedelta(milliseconds=1))
    assert not TOKEN.is_valid_at(end)


def test_the_payload_has_no_secret() -> None:
    assert orjson.dumps(["ann", TOKEN.key_id, TOKEN.expires_s])  # all that there is
    assert "s" * 32 not in sealed(TOKEN, KEY)
