from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from contract.labels import Cut, Listener
from contract.metrics import Metrics
from service.http.connections import ConnectionLimits, Connections, site_of

LIMITS = ConnectionLimits(connections=3, connections_per_address=2)


class Port:
    """The connections of a port, each represented by a word. A connection that must give way leaves."""

    def __init__(self, limits: ConnectionLimits = LIMITS) -> None:
        self.registry = CollectorRegistry()
        self.connections = Connections(limits, Metrics(self.registry), Listener.API)
        self.gone: list[str] = []

    def come(self, site: str, name: str, *, works: bool = False) -> Cut | None:
        cut = self.connections.admit(site)
        if cut is None and not works:
            self.connections.wait(site, name, lambda: self.leave(site, name))
        return cut

    def leave(self, site: str, name: str) -> None:
        self.connections.leave(site, name)
        self.gone.append(name)

    def held(self) -> float | None:
        return self.registry.get_sample_value("copydesk_connections", {"listener": "api"})

    def cut(self, cause: Cut) -> float | None:
        labels = {"listener": "api", "cause": cause}
        return self.registry.get_sample_value("copydesk_connections_cut_total", labels)


def test_the_connection_that_waits_longest_gives_way_to_a_new_one_of_its_address() -> None:
    port = Port()
    port.come("a", "a1")
    port.come("a", "a2")
    assert port.come("a", "a3") is None
    assert port.gone == ["a1"]
    assert port.held() == 2
    assert port.cut(Cut.GAVE_WAY) == 1


def test_an_address_whose_connections_all_work_gets_no_more() -> None:
    port = Port()
    port.come("a", "a1", works=True)
    port.come("a", "a2", works=True)
    assert port.come("a", "a3") is Cut.TOO_MANY_FROM_ADDRESS
    assert port.cut(Cut.TOO_MANY_FROM_ADDRESS) == 1
    assert port.come("b", "b1") is None


def test_the_address_with_most_waiting_connections_makes_room() -> None:
    port = Port()
    port.come("b", "b1")
    port.come("a", "a1")
    port.come("a", "a2")
    assert port.come("c", "c1") is None
    assert port.gone == ["a1"]
    assert port.held() == 3


def test_new_connections_are_refused_while_all_have_requests() -> None:
    port = Port()
    for site in "abc":
        port.come(site, site, works=True)
    assert port.come("d", "d1") is Cut.TOO_MANY
    assert port.cut(Cut.TOO_MANY) == 1
    port.leave("a", "a")
    assert port.come("d", "d1") is None


def test_a_connection_with_a_request_does_not_give_way() -> None:
    port = Port()
    port.come("a", "a1")
    port.come("a", "a2")
    port.connections.work("a", "a1")
    port.come("a", "a3")
    assert port.gone == ["a2"]


def test_a_bound_of_one_for_each_address() -> None:
    port = Port(replace(LIMITS, connections_per_address=1))
    assert port.come("a", "a1", works=True) is None
    assert port.come("a", "a2") is Cut.TOO_MANY_FROM_ADDRESS


@pytest.mark.parametrize(
    ("peer", "site"),
    [
        (("192.0.2.7", 4711), "192.0.2.7"),
        (("::1", 4711, 0, 0), "::"),
        (("2001:db8:1:2:3:4:5:6", 4711, 0, 0), "2001:db8:1:2::"),
        (("2001:db8:1:2::9", 4711, 0, 0), "2001:db8:1:2::"),
        (("::ffff:192.0.2.7", 4711, 0, 0), "192.0.2.7"),
        (("fe80::1%eth0", 4711, 0, 3), "fe80::"),
        (None, ""),
    ],
)
def test_networks_that_count_as_one_address(peer: object, site: str) -> None:
    assert site_of(peer) == site
