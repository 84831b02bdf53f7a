import re

import pytest
from yarl import URL

from service.access.keys import ApiKeys, InvalidApiKeyError, OpenListenerError, refuse_open_listener
from tests.service.conftest import RunningApi, StartApi, problem

SECRET = "c0py-Secret~1"


@pytest.fixture
async def locked(start_api: StartApi) -> RunningApi:
    return await start_api(keys=(f"ann:{SECRET}", "other-secret"))


def test_owner_is_the_name_or_a_part_of_the_hash() -> None:
    keys = ApiKeys.from_plain(["ann:one", "two", "ann:three"])
    assert (keys.owner("one"), keys.owner("three")) == ("ann", "ann")
    assert re.fullmatch("key-[0-9a-f]{8}", keys.owner("two") or "")
    assert [keys.owner(token) for token in ("", "ann", "ann:one", "tw", "\udcff")] == [None] * 5


@pytest.mark.parametrize("key", ["", "ann:", ":secret", "a b:secret", "ann:se cret", "a:b:c", "geheimnß"])
def test_keys_that_nobody_could_present_are_refused(key: str) -> None:
    with pytest.raises(InvalidApiKeyError) as refused:
        ApiKeys.from_plain(["good", key])
    assert "API key 2" in str(refused.value)


def test_one_secret_twice_is_refused() -> None:
    with pytest.raises(InvalidApiKeyError) as refused:
        ApiKeys.from_plain([f"ann:{SECRET}", f"bob:{SECRET}"])
    assert SECRET not in str(refused.value)


def test_no_repr_shows_secrets() -> None:
    keys = ApiKeys.from_plain([f"ann:{SECRET}"])
    assert SECRET not in repr(keys)
    assert "digest" not in repr(keys)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost"])
def test_loopback_needs_no_keys(host: str) -> None:
    refuse_open_listener(host, required=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.2", "example.org", "localhost.example.org"])
def test_listening_elsewhere_needs_keys(host: str) -> None:
    with pytest.raises(OpenListenerError, match="COPYDESK_API_KEYS"):
        refuse_open_listener(host, required=False)
    refuse_open_listener(host, required=True)


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "Bearer",
        "Bearer wrong",
        f"Basic {SECRET}",
        SECRET,
        f"Bearer ann:{SECRET}",
        f"Bearer {SECRET}x",
        "Bearer é",
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/documents"), ("GET", "/v1/events"), ("GET", "/v1/nothing")])
async def test_without_a_key_nothing_under_v1(
    locked: RunningApi, authorization: str | None, method: str, path: str
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    response = await locked.client.request(method, path, headers=headers)
    assert (await problem(response))["type"] == "/problems/unauthorized"
    assert response.headers["WWW-Authenticate"].startswith('Bearer realm="copydesk"')
    assert SECRET not in await response.text() + str(response.headers)
    assert locked.broker.jobs == []


@pytest.mark.parametrize("path", ["/%761/documents", "/v1/../v1/documents", "//v1/documents", "/V1/documents"])
async def test_other_spellings_of_the_path_open_nothing(locked: RunningApi, path: str) -> None:
    url = URL(f"http://{locked.client.host}:{locked.client.port}{path}", encoded=True)
    response = await locked.client.session.post(url, data="a", headers={"Content-Type": "text/plain"})
    assert response.status in {401, 404}
    assert locked.broker.jobs == []


@pytest.mark.parametrize("authorization", [f"Bearer {SECRET}", f"bearer  {SECRET}", "Bearer other-secret"])
async def test_with_a_key(locked: RunningApi, authorization: str) -> None:
    assert (await locked.post('{"text": "a"}', Authorization=authorization)).status == 202


async def test_index_is_open(locked: RunningApi) -> None:
    assert (await locked.client.get("/")).status == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://192.168.1.2:8080", "http://localhost.evil.example"]
)
async def test_without_keys_a_page_of_another_site_may_not_post(start_api: StartApi, origin: str) -> None:
    api = await start_api()
    response = await api.post("A word.", "text/plain", Origin=origin)
    assert (await problem(response))["type"] == "/problems/foreign-origin"
    assert (response.status, api.broker.jobs) == (403, [])


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1:8080", "http://[::1]:8080"])
async def test_without_keys_a_page_of_this_machine_may_post(start_api: StartApi, origin: str) -> None:
    api = await start_api()
    assert (await api.post("A word.", "text/plain", Origin=origin)).status == 202


async def test_with_keys_the_key_decides(locked: RunningApi) -> None:
    headers = {"Origin": "https://console.example", "Authorization": f"Bearer {SECRET}"}
    assert (await locked.post("A word.", "text/plain", **headers)).status == 202
