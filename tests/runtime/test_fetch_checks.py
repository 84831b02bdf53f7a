from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from contract.metrics import Metrics
from runtime.brokers.local_leases import LocalLeases
from runtime.errors import StartError
from runtime.fetching import open_fetcher
from runtime.settings import load


async def opened(name: str, value: str) -> None:
    settings = load({name: value})
    async with open_fetcher(settings, Metrics(CollectorRegistry()), LocalLeases().hold):
        pass


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fetch_proxy", "http://user:hush@[x"),
        ("fetch_proxy", "http://user:hush@proxy:99999"),
        ("fetch_proxy", "ftp://hush"),
        ("fetch_proxy", "socks5://hush:1080"),
        ("fetch_proxy", "hush:3128"),
        ("fetch_proxy", "http://"),
        ("fetch_allow_networks", "10.0.0.0/8,everywhere"),
        ("fetch_allow_networks", "10.0.0.1/8"),
        ("fetch_nameservers", "dns.example.com"),
        ("fetch_nameservers", "10.0.0.53:port"),
        ("fetch_ca_file", "/no/such/file"),
        ("fetch_ca_file", __file__),
        ("fetch_ca_file", str(Path(__file__).parent)),
    ],
)
async def test_a_wrong_setting_for_fetching_is_refused_in_one_line(name: str, value: str) -> None:
    with pytest.raises(StartError) as caught:
        await opened(name, value)
    assert str(caught.value).startswith(f"settings: COPYDESK_{name.upper()}: ")
    assert "hush" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fetch_proxy", "http://user:hush@proxy:3128"),
        ("fetch_proxy", "https://[::1]/"),
        ("fetch_allow_networks", "10.0.0.0/8, fd00::/8"),
        ("fetch_nameservers", "10.0.0.53, 10.0.0.53:5353, ::1, [::1]:53"),
    ],
)
async def test_a_good_setting_for_fetching_is_taken(name: str, value: str) -> None:
    await opened(name, value)
