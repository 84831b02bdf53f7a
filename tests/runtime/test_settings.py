import os
from pathlib import Path

import pytest

from runtime.errors import StartError
from runtime.settings import Settings, load


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("COPYDESK_")]:
        monkeypatch.delenv(name)


def test_the_defaults_listen_on_loopback_only() -> None:
    settings = load()
    assert (settings.host, settings.port, settings.ops_host, settings.ops_port) == (
        "127.0.0.1",
        8080,
        "127.0.0.1",
        8081,
    )
    assert settings.data == Path("data")
    assert settings.amqp_url is None


def test_the_environment_is_read_and_lists_are_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPYDESK_PORT", "9000")
    monkeypatch.setenv("COPYDESK_API_KEYS", "desk:s1, s2")
    monkeypatch.setenv("COPYDESK_RETRY_DELAYS_S", "1,2.5")
    settings = load()
    assert settings.port == 9000
    assert [key.get_secret_value() for key in settings.api_keys] == ["desk:s1", "s2"]
    assert settings.retry_delays_s == (1.0, 2.5)


def test_the_command_line_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPYDESK_PORT", "9000")
    assert load({"port": 9001, "host": None}).port == 9001


def test_an_unknown_variable_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPYDESK_PROT", "9000")
    with pytest.raises(StartError, match="COPYDESK_PROT"):
        load()


def test_the_clients_variables_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPYDESK_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("COPYDESK_API_KEY", "s1")
    assert load().port == 8080


@pytest.mark.parametrize(
    ("name", "value"),
    [("COPYDESK_PORT", "http"), ("COPYDESK_SLOTS", "0"), ("COPYDESK_PORT", "70000"), ("COPYDESK_LOG_LEVEL", "loud")],
)
def test_a_wrong_value_is_an_error_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(StartError, match=name):
        load()


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPYDESK_API_KEYS", "hush1")
    monkeypatch.setenv("COPYDESK_AMQP_URL", "amqp://user:hush2@localhost/")
    assert "hush" not in repr(load())
    monkeypatch.setenv("COPYDESK_SLOTS", "hush3")
    with pytest.raises(StartError) as caught:
        load()
    assert "hush" not in str(caught.value)


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
