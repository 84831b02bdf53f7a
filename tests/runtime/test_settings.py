import os
from pathlib import Path

import pytest

from runtime.errors import StartError
from runtime.settings import Settings, load, service_links


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


KUBERNETES = {
    "COPYDESK_PORT": "tcp://10.96.0.7:80",
    "COPYDESK_PORT_80_TCP": "tcp://10.96.0.7:80",
    "COPYDESK_PORT_80_TCP_PROTO": "tcp",
    "COPYDESK_PORT_80_TCP_PORT": "80",
    "COPYDESK_PORT_80_TCP_ADDR": "10.96.0.7",
    "COPYDESK_SERVICE_HOST": "10.96.0.7",
    "COPYDESK_SERVICE_PORT": "80",
    "COPYDESK_SERVICE_PORT_API": "80",
    "COPYDESK_OPS_PORT": "tcp://[fd00::7]:8081",
    "COPYDESK_OPS_SERVICE_HOST": "fd00::7",
    "COPYDESK_SERVE_PORT_8080_UDP_ADDR": "10.96.0.8",
    "COPYDESK_SERVE_PORT": "udp://10.96.0.8:8080",
}


def test_what_kubernetes_sets_for_a_service_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KUBERNETES.items():
        monkeypatch.setenv(name, value)
    settings = load()
    assert (settings.port, settings.ops_port) == (8080, 8081)
    assert service_links(os.environ) == sorted(KUBERNETES)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COPYDESK_SERVE_PORT", "8080"),
        ("COPYDESK_SERVICE_HOST", "broker.example"),
        ("COPYDESK_SERVICE_PORT", "tcp"),
        ("COPYDESK_PORT_80_TCP_PROTO", "http"),
        ("COPYDESK_PORTS", "tcp://10.96.0.7:80"),
        ("COPYDESK_SLOTS", "tcp://10.96.0.7:80"),
    ],
)
def test_a_similar_variable_is_still_an_error(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert service_links(os.environ) == []
    with pytest.raises(StartError, match=name):
        load()


def test_a_port_that_is_set_is_kept_beside_the_links(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KUBERNETES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COPYDESK_PORT", "9000")
    assert load().port == 9000


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("127.0.0.1:5672", "amqp://user:password@host:5672/vhost"),
        ("hush", "does not begin with amqp://"),
        ("http://hush@127.0.0.1:15672", "does not begin with amqp://"),
        ("amqp:/hush", "names no host"),
        ("amqp://user:hush@/", "names no host"),
        ("amqp://:hush@broker/", "no user"),
        ("amqp://user:hu#sh@broker/", "%23"),
        ("amqp://user:hu/sh@broker/", "%2F"),
        ("amqp://user:hush@broker:port/", "%2F"),
        ("amqp://user:hush@broker:70000/", "%2F"),
        ("amqp://user:hush@broker/?heartbeat=hush", "heartbeat"),
        ("amqp://user:hush@broker/?heartbeat=-1", "heartbeat"),
        ("amqp://user:hush@broker/?heartbeat=65535", "heartbeat"),
        ("amqp://user:hush@broker/?heartbeat=", "heartbeat"),
    ],
)
def test_an_invalid_amqp_url_is_refused_without_repeating_it(
    monkeypatch: pytest.MonkeyPatch, url: str, message: str
) -> None:
    monkeypatch.setenv("COPYDESK_AMQP_URL", url)
    with pytest.raises(StartError) as caught:
        load()
    assert "COPYDESK_AMQP_URL: " in str(caught.value)
    assert message in str(caught.value)
    assert "hu" not in str(caught.value).replace("%", "").replace("vhost", "")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "amqp://broker",
        "amqps://u:p@broker:5671/a%2Fb?cafile=/etc/ca.pem",
        "amqp://u:p%40%23@[::1]:5672//",
        "AMQP://broker/",
        "amqp://broker/?heartbeat=5",
        "amqp://broker/?heartbeat=0",
    ],
)
def test_a_valid_amqp_url_is_accepted(url: str) -> None:
    assert load({"amqp_url": url}).amqp_url is not None


def test_only_the_invalid_setting_is_named_not_those_whose_default_follows_from_it() -> None:
    with pytest.raises(StartError) as refused:
        load({"parsers": "many"})
    assert str(refused.value).startswith("settings: COPYDESK_PARSERS: ")
    assert "COPYDESK_SLOTS" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("hush", "does not begin with postgresql:// or sqlite:///"),
        ("mysql://user:hush@host/ledger", "does not begin with postgresql:// or sqlite:///"),
        ("postgresql://user:hush@/ledger", "names no host"),
        ("postgresql://user:hu/sh@host/ledger", "%2F"),
        ("postgresql:///hush", "names no host"),
        ("postgresql://user:hush@host", "names no database"),
        ("postgresql://user:hu#sh@host/ledger", "%23"),
        ("postgresql://user:hush@host:port/ledger", "%2F"),
        ("postgresql://user:hush@host/ledger?sslmode=hush", "sslmode must be one of"),
        ("postgresql://user:hush@host/ledger?hush=1", "behind the ?"),
        ("sqlite://hush.db", "names no file"),
        ("sqlite:///:memory:", "not :memory:"),
        ("sqlite:///hush.db?mode=ro", "without a ?"),
        ("sqlite:////", "is a folder"),
        ("sqlite:////no-such-folder/hush.db", "is not there"),
    ],
)
def test_an_invalid_ledger_url_is_refused_without_repeating_it(
    monkeypatch: pytest.MonkeyPatch, url: str, message: str
) -> None:
    monkeypatch.setenv("COPYDESK_LEDGER_URL", url)
    with pytest.raises(StartError) as caught:
        load()
    assert "COPYDESK_LEDGER_URL: " in str(caught.value)
    assert message in str(caught.value)
    assert "hu" not in str(caught.value).replace("as / # @", "")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p%40%23@host:5432/ledger?sslmode=verify-full",
        "postgres://[::1]/ledger",
        "POSTGRESQL://host/ledger",
        "postgresql:///ledger?host=/var/run/postgresql",
        "sqlite:///ledger.db",
        "sqlite:////ledger.db",
    ],
)
def test_a_valid_ledger_url_is_accepted(url: str) -> None:
    assert load({"ledger_url": url}).ledger() == url
