import socket

import pytest

from workers.fetch.addresses import AddressPolicy, BlockedAddressError, BlockedPortError

PUBLIC = [
    "8.8.8.8",
    "93.184.215.14",
    "2001:4860:4860::8888",
    "2606:2800:21f:cb07:6820:80da:af6b:8b2c",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
]
INSIDE = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "2001::1",
    "2a00:1450::5efe:10.0.0.1",
    "2a00:1450::200:5efe:127.0.0.1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_permitted(address: str) -> None:
    assert AddressPolicy().permits(address, 443)


@pytest.mark.parametrize("address", INSIDE)
def test_other_addresses_are_refused(address: str) -> None:
    assert not AddressPolicy().permits(address, 443)


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "::1]"])
def test_malformed_addresses_are_refused(text: str) -> None:
    assert not AddressPolicy(["0.0.0.0/0", "::/0"]).permits(text, 80)


def test_networks_can_be_allowed() -> None:
    policy = AddressPolicy(["127.0.0.0/8", "fd00::/8"])
    permitted = ["127.0.0.1", "::ffff:127.9.9.9", "fd12::1", "8.8.8.8"]
    assert [policy.permits(address, 80) for address in permitted] == [True] * 4
    assert [policy.permits(address, 80) for address in ("10.0.0.1", "::1", "fe80::1")] == [False] * 3


def test_an_invalid_network_is_reported_at_once() -> None:
    with pytest.raises(ValueError, match="host bits set"):
        AddressPolicy(["10.0.0.1/8"])


def test_sockets_are_opened_for_permitted_addresses_alone() -> None:
    policy = AddressPolicy(["127.0.0.1/32"])
    with policy.open_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 80))) as opened:
        assert opened.family == socket.AF_INET
    with pytest.raises(BlockedAddressError, match=r"127\.0\.0\.2"):
        policy.open_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.2", 80)))
    with pytest.raises(BlockedAddressError, match="::1"):
        policy.open_socket((socket.AF_INET6, socket.SOCK_STREAM, 0, "", ("::1", 80, 0, 0)))


def test_public_addresses_are_dialled_at_the_ports_of_the_web_alone() -> None:
    policy = AddressPolicy(["10.0.0.0/8"], [80, 443, 8443])
    assert policy.permits("8.8.8.8", 8443)
    assert policy.permits("10.0.0.1", 9200)
    with pytest.raises(BlockedPortError, match="9200"):
        policy.check("8.8.8.8", 9200)
    with pytest.raises(BlockedAddressError):
        policy.check("192.168.0.1", 9200)
