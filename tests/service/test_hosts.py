from ipaddress import ip_address

import pytest

from service.http.hosts import Hosts
from tests.service.conftest import RunningApi, StartApi
from tests.wire import Answer, ask, request

KEY = "a-secret"

OURS = [
    "localhost",
    "LocalHost",
    "localhost.",
    "localhost:8080",
    "localhost:",
    "desk.localhost:8080",
    "127.0.0.1:8080",
    "127.0.0.1.",
    "127.9.9.9",
    "[::1]",
    "[::1]:8080",
    "[0:0:0:0:0:0:0:1]:8080",
    "[::ffff:127.0.0.1]",
]
FOREIGN = [
    "example.com",
    "example.com:8080",
    "localhost.example.com",
    "localhost.evil",
    "notlocalhost",
    "127.0.0.1.example.com",
    "192.0.2.1",
    "10.0.0.1:8080",
    "0.0.0.0",
    "[::]",
    "[2001:db8::1]:8080",
    "[::ffff:192.0.2.1]",
    "127.1",
    "2130706433",
    "0x7f000001",
    "xn--bcher-kva.example",
]
MALFORMED = [
    "localhost:http",
    "localhost:8080:8080",
    "localhost, example.com",
    "localhost example.com",
    "localhost/",
    "user@localhost",
    "[::1",
    "::1",
    "[::1]x",
    "[localhost]",
    "[:::]",
    "localhost:999999",
    "b\u00fccher.example",
    "",
]


async def answer_to(api: RunningApi, raw: bytes, *, head: bool = False) -> Answer:
    answer = await ask(api.client.port or 0, raw, head=head)
    assert answer is not None
    return answer


@pytest.mark.parametrize("host", OURS)
async def test_names_of_this_machine_are_served(api: RunningApi, host: str) -> None:
    assert (await answer_to(api, request("/", host=host))).status == 200


@pytest.mark.parametrize("host", FOREIGN)
async def test_other_names_are_refused(api: RunningApi, host: str) -> None:
    answer = await answer_to(api, request("/v1/events", host=host))
    assert answer.problem()["type"] == "/problems/foreign-host"
    assert answer.status == 421
    assert api.sample("copydesk_refused_total", reason="foreign_host") == 1


@pytest.mark.parametrize("host", MALFORMED)
async def test_a_malformed_host_is_a_bad_request(api: RunningApi, host: str) -> None:
    answer = await answer_to(api, request("/", host=host))
    assert answer.problem()["type"] == "/problems/bad-request"
    assert answer.status == 400


@pytest.mark.parametrize("host", MALFORMED)
async def test_a_malformed_host_is_a_bad_request_with_keys_too(start_api: StartApi, host: str) -> None:
    api = await start_api(keys=(KEY,), hosts=None)
    assert (await answer_to(api, request("/", host=host))).status == 400


async def test_the_old_protocol_has_requests_without_host(api: RunningApi, start_api: StartApi) -> None:
    raw = b"GET / HTTP/1.0\r\n\r\n"
    assert (await answer_to(api, raw)).status == 421
    assert (await answer_to(await start_api(hosts=Hosts(addresses=True)), raw)).status == 200
    assert (await answer_to(await start_api(keys=(KEY,), hosts=None), raw)).status == 200


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        ("http://localhost/", "localhost", 200),
        ("http://127.0.0.1:8080/", "localhost", 200),
        ("http://[::1]:8080/", "localhost", 200),
        ("http://example.com/", "localhost", 421),
        ("http://localhost@example.com/", "localhost", 421),
        ("https://example.com/", "localhost", 421),
        ("http://localhost/", "example.com", 421),
        ("//example.com/", "localhost", 404),
    ],
)
async def test_a_target_in_absolute_form_must_name_this_machine_too(
    api: RunningApi, target: str, host: str, status: int
) -> None:
    assert (await answer_to(api, request(target, host=host))).status == status


async def test_every_route_asks_for_the_name(api: RunningApi) -> None:
    app = api.client.server.app  # type: ignore[attr-defined] # of the test server for applications
    asked = 0
    for route in app.router.routes():
        target = route.resource.canonical.replace("{slug}", "bad-request").replace("{id}", "a")
        raw = request(target, method=route.method, host="example.com")
        assert (await answer_to(api, raw, head=route.method == "HEAD")).status == 421
        asked += 1
    assert asked >= 10
    assert (await answer_to(api, request("/nothing", host="example.com"))).status == 421


async def test_with_keys_any_name_is_served_unless_names_are_given(start_api: StartApi) -> None:
    api = await start_api(keys=(KEY,), hosts=None)
    assert (await answer_to(api, request("/", host="example.com"))).status == 200
    api = await start_api(keys=(KEY,), hosts=Hosts.of("0.0.0.0", ["desk.example.com"]))
    assert (await answer_to(api, request("/", host="desk.example.com"))).status == 200
    assert (await answer_to(api, request("/", host="example.com"))).status == 421


@pytest.mark.parametrize(
    ("names", "host", "known"),
    [
        (["desk.example.com"], "desk.example.com", True),
        (["Desk.Example.com."], "DESK.example.COM.", True),
        (["desk.example.com"], "example.com", False),
        (["desk.example.com"], "a.desk.example.com", False),
        ([".example.com"], "desk.example.com", True),
        ([".example.com"], "a.desk.example.com", True),
        ([".example.com"], "example.com", False),
        ([".example.com"], "badexample.com", False),
        (["192.0.2.1"], "192.0.2.1", True),
        (["[2001:db8::1]"], "2001:db8:0::1", True),
        (["*"], "example.com", True),
    ],
)
def test_configured_names_are_served(names: list[str], host: str, known: bool) -> None:
    assert Hosts.of("127.0.0.1", names).knows(host) is known


def test_the_address_that_is_listened_on_is_known() -> None:
    assert Hosts.of("10.1.2.3", []).knows("10.1.2.3")
    assert Hosts.of("node7.internal", []).knows("node7.internal")
    assert not Hosts.of("0.0.0.0", []).knows("0.0.0.0")
    assert not Hosts.of("", []).knows("")


def test_the_address_at_which_a_connection_came_in_is_known() -> None:
    assert Hosts().knows("10.1.2.3", ip_address("10.1.2.3"))
    assert not Hosts().knows("10.1.2.4", ip_address("10.1.2.3"))


def test_a_port_for_others_is_known_by_any_address_and_by_no_name() -> None:
    ops = Hosts.of("0.0.0.0", [], addresses=True)
    assert ops.knows("10.1.2.3")
    assert ops.knows("2001:db8::1")
    assert not ops.knows("copydesk.example.com")


@pytest.mark.parametrize(("origin", "status"), [("http://desk.example.com", 202), ("http://example.com", 403)])
async def test_pages_of_given_names_may_post(start_api: StartApi, origin: str, status: int) -> None:
    api = await start_api(hosts=Hosts.of("127.0.0.1", ["desk.example.com"]))
    assert (await api.post('{"text": "a"}', Origin=origin)).status == status
