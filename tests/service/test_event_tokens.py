"""Event tokens: made with an API key, taken in the query of GET /v1/events, and nowhere else."""

import logging
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from contract.event_tokens import EventToken, sealed, signing_key
from contract.keys import Scope
from tests.service.conftest import NOW, SECRET, RunningApi, StartApi, problem
from tests.service.streams import event, follow, next_block, until_ended, write
from tests.service.test_every_route import document_for, routes, valid
from tests.service.test_stored_keys import OUTAGE_S, Locked, bearer, locked

__all__ = ["locked"]

KEYS = ("ann:ann-secret", "bob:bob-secret")
ANN, BOB = {"Authorization": "Bearer ann-secret"}, {"Authorization": "Bearer bob-secret"}


@pytest.fixture
async def api(start_api: StartApi) -> RunningApi:
    """An API with an operator, ann, and with bob, who is none."""
    return await start_api(keys=KEYS, operators=frozenset({"ann"}))


async def token_of(api: RunningApi, headers: dict[str, str], body: object = None) -> str:
    response = await api.client.post("/v1/event-tokens", headers=headers, json=body)
    assert response.status == 200, await response.text()
    return str((await response.json())["token"])


async def test_a_token_opens_the_stream_without_an_api_key(api: RunningApi) -> None:
    await write(api, "processed.en._")
    token = await token_of(api, ANN)
    async with await follow(api, f"/v1/events?after=oldest&token={token}", Origin="https://news.example") as stream:
        assert await next_block(stream) == event(0)
        assert stream.headers["Access-Control-Allow-Origin"] == "*"
    async with await follow(api, "/v1/events", **ANN) as stream:
        assert "Access-Control-Allow-Origin" not in stream.headers


@pytest.mark.parametrize(("body", "seconds"), [(None, 300), ({}, 300), ({"seconds": 1}, 1), ({"seconds": 900}, 900)])
async def test_it_says_when_it_expires(api: RunningApi, body: object, seconds: int) -> None:
    response = await api.client.post("/v1/event-tokens", headers=ANN, json=body)
    answer = await response.json()
    assert datetime.fromisoformat(answer["expires_at"]) == NOW + timedelta(seconds=seconds)
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("body", [{"seconds": 0}, {"seconds": 901}, {"seconds": "60"}, {"ttl": 60}])
async def test_it_lives_for_minutes(api: RunningApi, body: object) -> None:
    answer = await problem(await api.client.post("/v1/event-tokens", headers=ANN, json=body))
    assert (answer["status"], answer["type"]) == (422, "/problems/invalid-submission")


async def test_an_expired_token_is_refused(api: RunningApi) -> None:
    now_s = int(NOW.timestamp())
    for expires_s, status in ((now_s + 1, 200), (now_s, 401), (now_s - 60, 401)):
        token = sealed(EventToken("ann", None, expires_s), signing_key(SECRET))
        async with api.client.get(f"/v1/events?token={token}") as response:
            assert response.status == status


@pytest.mark.parametrize("token", ["", "x", "ann-secret", "cdt_WyJhbm4iLG51bGwsOTk5OTk5OTk5OV0." + "A" * 43])
async def test_a_made_up_token_is_refused(api: RunningApi, token: str) -> None:
    response = await api.client.get("/v1/events", params={"token": token})
    assert (await problem(response))["type"] == "/problems/unauthorized"
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="copydesk", error="invalid_token"'
    assert not token or token not in await response.text()


async def test_it_is_refused_everywhere_else(api: RunningApi) -> None:
    token = await token_of(api, ANN)
    for method, path in routes(api):
        if (method, path) == ("GET", "/v1/events"):
            continue
        body = document_for(method, path)
        query = valid(method, path).update_query(token=token)
        assert (await api.client.request(method, query, json=body)).status == 401, path
        header = {"Authorization": f"Bearer {token}"}
        assert (await api.client.request(method, valid(method, path), json=body, headers=header)).status == 401, path
        answer = await problem(await api.client.request(method, query, json=body, headers=ANN))
        assert [(fault["field"], fault["rule"]) for fault in answer["errors"]] == [("token", "unknown_parameter")], path
    assert (await api.client.get("/v1/events", headers={"Authorization": f"Bearer {token}"})).status == 401


async def test_a_token_and_an_api_key_do_not_go_together(api: RunningApi) -> None:
    token = await token_of(api, ANN)
    answer = await problem(await api.client.get(f"/v1/events?token={token}", headers=ANN))
    assert [(fault["field"], fault["rule"]) for fault in answer["errors"]] == [("token", "exclusive")]


async def test_who_may_not_read_events_gets_no_token(api: RunningApi) -> None:
    answer = await problem(await api.client.post("/v1/event-tokens", headers=BOB))
    assert answer["type"] == "/problems/insufficient-scope"
    assert (await api.client.post("/v1/event-tokens")).status == 401


async def test_another_server_with_the_same_secret_takes_it_and_one_with_another_does_not(
    api: RunningApi, start_api: StartApi
) -> None:
    token = await token_of(api, ANN)
    operators = frozenset({"ann"})
    replica = await start_api(keys=KEYS, operators=operators)
    stranger = await start_api(keys=KEYS, operators=operators, tokens_secret="u" * 32)
    for other, status in ((replica, 200), (stranger, 401)):
        async with other.client.get(f"/v1/events?token={token}") as response:
            assert response.status == status


async def test_a_token_is_worth_what_the_owner_may_do_now(api: RunningApi, start_api: StartApi) -> None:
    token = await token_of(api, ANN)
    without_her = await start_api(keys=("bob:bob-secret", "eve:eve-secret"), operators=frozenset({"bob"}))
    no_operator = await start_api(keys=KEYS, operators=frozenset({"bob"}))
    for other, status in ((without_her, 401), (no_operator, 403)):
        assert (await other.client.get(f"/v1/events?token={token}")).status == status


async def test_without_a_secret_there_are_none(start_api: StartApi) -> None:
    api = await start_api(keys=("ann:ann-secret",), tokens_secret=None)
    answer = await problem(await api.client.post("/v1/event-tokens", headers=ANN))
    assert (answer["status"], answer["type"]) == (503, "/problems/event-tokens-not-configured")
    assert (await api.client.get("/v1/events?token=x")).status == 401


async def test_without_api_keys_a_token_lets_a_page_of_another_site_in(start_api: StartApi) -> None:
    api, foreign = await start_api(), {"Origin": "https://news.example"}
    assert (await api.client.get("/v1/events", headers=foreign)).status == 403
    token = await token_of(api, {})
    async with api.client.get(f"/v1/events?token={token}", headers=foreign) as response:
        assert response.status == 200


async def test_a_consumer_belongs_to_the_owner_of_the_token(api: RunningApi) -> None:
    token = await token_of(api, ANN)
    answer = await problem(await api.client.get(f"/v1/events?consumer=a&token={token}"))
    assert answer["type"] == "/problems/ledger-not-configured"  # known and allowed; this API has no ledger


async def test_revoking_the_key_ends_its_token_and_its_streams(locked: Locked) -> None:
    key = locked.book.make("ann", Scope.ADMIN)
    await locked.stored.refresh()
    token = await token_of(locked.api, bearer(key))
    stream = await follow(locked.api, f"/v1/events?token={token}")
    locked.book.change(key, revoked_at=NOW)
    await locked.stored.refresh()
    await write(locked.api, "processed.en._")
    assert await stream.content.read() == b": ended: key_refused\n\n"
    await until_ended(locked.api, "key_refused")
    assert (await locked.api.client.get(f"/v1/events?token={token}")).status == 401


async def test_while_the_ledger_is_away_for_long_nobody_can_tell(locked: Locked) -> None:
    key = locked.book.make("ann", Scope.ADMIN)
    await locked.stored.refresh()
    token = await token_of(locked.api, bearer(key))
    locked.book.elapsed += OUTAGE_S + 1
    answer = await problem(await locked.api.client.get(f"/v1/events?token={token}"))
    assert answer["type"] == "/problems/keys-unavailable"


async def test_no_log_and_no_metric_has_it(api: RunningApi, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = await token_of(api, ANN)
    with capture_logs() as logs:
        for query in (f"token={token}", f"token={token}x", f"token={token}&filter=x", f"token={token}&token={token}"):
            async with api.client.get(f"/v1/events?{query}") as response:
                assert response.status == 200 or token not in await response.text()
    own = [record.getMessage() for record in caplog.records if record.name != "aiohttp.access"]  # the test server's
    told = repr(logs) + repr(own) + repr([*api.metrics.registry.collect()])
    assert token not in told
    assert token.partition(".")[2] not in told
