"""Event tokens: made with an API key, taken in the query of GET /v1/events, and nowhere else."""

import logging
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from contract.event_tokens import EventToken, sealed, signing_key
from contract.keys import Scope
from tests.service.conftest import NOW, SECRET, Desk, OpenDesk, problem
from tests.service.streams import event, follow, next_block, until_ended, write
from tests.service.test_every_route import document_for, routes, valid
from tests.service.test_stored_keys import OUTAGE_S, Locked, bearer, locked

__all__ = ["locked"]

KEYS = ("ann:ann-secret", "bob:bob-secret")
ANN, BOB = {"Authorization": "Bearer ann-secret"}, {"Authorization": "Bearer bob-secret"}


@pytest.fixture
async def desk(open_desk: OpenDesk) -> Desk:
    """A desk with an operator, ann, and with bob, who is none."""
    return await open_desk(keys=KEYS, operators=frozenset({"ann"}))


async def token_of(desk: Desk, headers: dict[str, str], body: object = None) -> str:
    response = await desk.client.post("/v1/event-tokens", headers=headers, json=body)
    assert response.status == 200, await response.text()
    return str((await response.json())["token"])


async def test_a_token_opens_the_stream_without_an_api_key(desk: Desk) -> None:
    await write(desk, "processed.en._")
    token = await token_of(desk, ANN)
    async with await follow(desk, f"/v1/events?after=oldest&token={token}", Origin="https://news.example") as stream:
        assert await next_block(stream) == event(0)
        assert stream.headers["Access-Control-Allow-Origin"] == "*"
    async with await follow(desk, "/v1/events", **ANN) as stream:
        assert "Access-Control-Allow-Origin" not in stream.headers


@pytest.mark.parametrize(("body", "seconds"), [(None, 300), ({}, 300), ({"seconds": 1}, 1), ({"seconds": 900}, 900)])
async def test_it_says_when_it_expires(desk: Desk, body: object, seconds: int) -> None:
    response = await desk.client.post("/v1/event-tokens", headers=ANN, json=body)
    answer = await response.json()
    assert datetime.fromisoformat(answer["expires_at"]) == NOW + timedelta(seconds=seconds)
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("body", [{"seconds": 0}, {"seconds": 901}, {"seconds": "60"}, {"ttl": 60}])
async def test_it_lives_for_minutes(desk: Desk, body: object) -> None:
    answer = await problem(await desk.client.post("/v1/event-tokens", headers=ANN, json=body))
    assert (answer["status"], answer["type"]) == (422, "/problems/invalid-submission")


async def test_an_expired_token_is_refused(desk: Desk) -> None:
    now_s = int(NOW.timestamp())
    for expires_s, status in ((now_s + 1, 200), (now_s, 401), (now_s - 60, 401)):
        token = sealed(EventToken("ann", None, expires_s), signing_key(SECRET))
        async with desk.client.get(f"/v1/events?token={token}") as response:
            assert response.status == status


@pytest.mark.parametrize("token", ["", "x", "ann-secret", "cdt_WyJhbm4iLG51bGwsOTk5OTk5OTk5OV0." + "A" * 43])
async def test_a_made_up_token_is_refused(desk: Desk, token: str) -> None:
    response = await desk.client.get("/v1/events", params={"token": token})
    assert (await problem(response))["type"] == "/problems/unauthorized"
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="copydesk", error="invalid_token"'
    assert not token or token not in await response.text()


async def test_it_is_refused_everywhere_else(desk: Desk) -> None:
    token = await token_of(desk, ANN)
    for method, path in routes(desk):
        if (method, path) == ("GET", "/v1/events"):
            continue
        body = document_for(method, path)
        query = valid(method, path).update_query(token=token)
        assert (await desk.client.request(method, query, json=body)).status == 401, path
        header = {"Authorization": f"Bearer {token}"}
        assert (await desk.client.request(method, valid(method, path), json=body, headers=header)).status == 401, path
        answer = await problem(await desk.client.request(method, query, json=body, headers=ANN))
        assert [(fault["field"], fault["rule"]) for fault in answer["errors"]] == [("token", "unknown_parameter")], path
    assert (await desk.client.get("/v1/events", headers={"Authorization": f"Bearer {token}"})).status == 401


async def test_a_token_and_an_api_key_do_not_go_together(desk: Desk) -> None:
    token = await token_of(desk, ANN)
    answer = await problem(await desk.client.get(f"/v1/events?token={token}", headers=ANN))
    assert [(fault["field"], fault["rule"]) for fault in answer["errors"]] == [("token", "exclusive")]


async def test_who_may_not_read_events_gets_no_token(desk: Desk) -> None:
    answer = await problem(await desk.client.post("/v1/event-tokens", headers=BOB))
    assert answer["type"] == "/problems/insufficient-scope"
    assert (await desk.client.post("/v1/event-tokens")).status == 401


async def test_another_server_with_the_same_secret_takes_it_and_one_with_another_does_not(
    desk: Desk, open_desk: OpenDesk
) -> None:
    token = await token_of(desk, ANN)
    operators = frozenset({"ann"})
    replica = await open_desk(keys=KEYS, operators=operators)
    stranger = await open_desk(keys=KEYS, operators=operators, tokens_secret="u" * 32)
    for other, status in ((replica, 200), (stranger, 401)):
        async with other.client.get(f"/v1/events?token={token}") as response:
            assert response.status == status


async def test_a_token_is_worth_what_the_owner_may_do_now(desk: Desk, open_desk: OpenDesk) -> None:
    token = await token_of(desk, ANN)
    without_her = await open_desk(keys=("bob:bob-secret", "eve:eve-secret"), operators=frozenset({"bob"}))
    no_operator = await open_desk(keys=KEYS, operators=frozenset({"bob"}))
    for other, status in ((without_her, 401), (no_operator, 403)):
        assert (await other.client.get(f"/v1/events?token={token}")).status == status


async def test_without_a_secret_there_are_none(open_desk: OpenDesk) -> None:
    desk = await open_desk(keys=("ann:ann-secret",), tokens_secret=None)
    answer = await problem(await desk.client.post("/v1/event-tokens", headers=ANN))
    assert (answer["status"], answer["type"]) == (503, "/problems/event-tokens-not-configured")
    assert (await desk.client.get("/v1/events?token=x")).status == 401


async def test_without_api_keys_a_token_lets_a_page_of_another_site_in(open_desk: OpenDesk) -> None:
    desk, foreign = await open_desk(), {"Origin": "https://news.example"}
    assert (await desk.client.get("/v1/events", headers=foreign)).status == 403
    token = await token_of(desk, {})
    async with desk.client.get(f"/v1/events?token={token}", headers=foreign) as response:
        assert response.status == 200


async def test_a_consumer_belongs_to_the_owner_of_the_token(desk: Desk) -> None:
    token = await token_of(desk, ANN)
    answer = await problem(await desk.client.get(f"/v1/events?consumer=a&token={token}"))
    assert answer["type"] == "/problems/ledger-not-configured"  # known and allowed; this desk has no ledger


async def test_revoking_the_key_ends_its_token_and_its_streams(locked: Locked) -> None:
    key = locked.book.make("ann", Scope.ADMIN)
    await locked.stored.refresh()
    token = await token_of(locked.desk, bearer(key))
    stream = await follow(locked.desk, f"/v1/events?token={token}")
    locked.book.change(key, revoked_at=NOW)
    await locked.stored.refresh()
    await write(locked.desk, "processed.en._")
    assert await stream.content.read() == b": ended: key_refused\n\n"
    await until_ended(locked.desk, "key_refused")
    assert (await locked.desk.client.get(f"/v1/events?token={token}")).status == 401


async def test_while_the_ledger_is_away_for_long_nobody_can_tell(locked: Locked) -> None:
    key = locked.book.make("ann", Scope.ADMIN)
    await locked.stored.refresh()
    token = await token_of(locked.desk, bearer(key))
    locked.book.elapsed += OUTAGE_S + 1
    answer = await problem(await locked.desk.client.get(f"/v1/events?token={token}"))
    assert answer["type"] == "/problems/keys-unavailable"


async def test_no_log_and_no_metric_has_it(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = await token_of(desk, ANN)
    with capture_logs() as logs:
        for query in (f"token={token}", f"token={token}x", f"token={token}&filter=x", f"token={token}&token={token}"):
            async with desk.client.get(f"/v1/events?{query}") as response:
                assert response.status == 200 or token not in await response.text()
    own = [record.getMessage() for record in caplog.records if record.name != "aiohttp.access"]  # the test server's
    told = repr(logs) + repr(own) + repr([*desk.metrics.registry.collect()])
    assert token not in told
    assert token.partition(".")[2] not in told
