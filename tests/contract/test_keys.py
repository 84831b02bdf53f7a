"""API keys of the ledger: their form, their hashes, and which token opens one."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contract.keys import Key, Scope, digest_of, id_of, is_id, new_id, new_token

SECRET, OTHER = "a" * 32, "b" * 32
NOW = datetime(2026, 11, 29, tzinfo=UTC)


def made() -> tuple[str, Key]:
    key_id = new_id()
    token = new_token(key_id)
    scopes = frozenset({Scope.READ})
    return token, Key(id=key_id, owner="ann", digest=digest_of(token, SECRET), scopes=scopes, created_at=NOW)


def test_a_token_names_its_key_and_holds_256_random_bits() -> None:
    token, key = made()
    assert re.fullmatch(rf"cdk_{key.id}_[A-Za-z0-9_-]{{43}}", token)
    assert (id_of(token), is_id(key.id)) == (key.id, True)
    assert len({new_token(key.id) for _ in range(100)}) == 100


@pytest.mark.parametrize("text", ["", "ann", "cdk_", "cdk_0123456789abcdef_", "cdk_0123456789ABCDEF_" + "a" * 43])
def test_what_is_no_token_names_no_key(text: str) -> None:
    assert id_of(text) is None
    assert not is_id(text)


def test_the_hash_depends_on_the_setting_the_id_and_the_secret_part() -> None:
    token, key = made()
    twin = token.replace(key.id, new_id())
    assert len({digest_of(token, SECRET), digest_of(token, OTHER), digest_of(twin, SECRET)}) == 3
    assert token not in repr(key)
    assert "digest" not in repr(key)


def test_a_key_is_opened_by_its_token_alone() -> None:
    token, key = made()
    assert key.is_opened_by(digest_of(token, SECRET), NOW)
    assert not key.is_opened_by(digest_of(new_token(key.id), SECRET), NOW)
    assert not key.is_opened_by(bytes(32), NOW)
    assert not replace(key, revoked_at=NOW).is_opened_by(digest_of(token, SECRET), NOW)


def test_the_token_before_is_taken_until_its_time() -> None:
    token, key = made()
    before = digest_of(token, SECRET)
    after = digest_of(new_token(key.id), SECRET)
    rotated = replace(key, digest=after, former=before, former_until=NOW + timedelta(hours=1))
    late = NOW + timedelta(hours=1)
    assert [rotated.is_opened_by(digest, at) for digest in (before, after) for at in (NOW, late)] == [
        True,
        False,
        True,
        True,
    ]
