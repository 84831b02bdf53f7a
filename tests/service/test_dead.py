from base64 import b64decode
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from contract.broker import BrokerFull, BrokerUnavailable
from contract.codec import encode
from contract.ids import new_document_id
from contract.job import Attempt, Job, Kind, Lane
from contract.reasons import Reason
from tests.service.conftest import RunningApi, StartApi, problem
from tests.service.memory_dead import letter

SECRET_TEXT = "What the document says is nobody's business."
GARBAGE = b"\xff no job"


def job(**fields: Any) -> Job:  # noqa: ANN401 - fields of a job
    given = {"kind": Kind.HTML, "lane": Lane.BULK, "content": SECRET_TEXT, "labels": {"desk": "7"}, **fields}
    return Job(id=new_document_id(), accepted_at="2024-10-01T00:00:00.000Z", url="https://example.com/a", **given)


def bury(api: RunningApi, count: int, **known: Any) -> list[str]:  # noqa: ANN401 - as `letter` takes it
    jobs = [job() for _ in range(count)]
    start = len(api.broker.letters)
    api.broker.letters += [letter(job, number, **known) for number, job in enumerate(jobs, start)]
    return [job.id for job in jobs]


async def get(api: RunningApi, path: str) -> dict[str, Any]:
    response = await api.client.get(path)
    assert response.status == 200, await response.text()
    body: dict[str, Any] = await response.json()
    return body


def ids(answer: dict[str, Any]) -> list[str]:
    return [letter["id"] for letter in answer["letters"]]


# the list


async def test_without_dead_letters_the_list_is_empty(api: RunningApi) -> None:
    assert await get(api, "/v1/dead") == {"letters": [], "count": 0, "next": None, "complete": True}


async def test_a_listed_letter_tells_what_is_known_but_not_what_the_document_says(api: RunningApi) -> None:
    dead = job(attempt=2)
    api.broker.letters = [letter(dead, cause="Traceback\n" + "x" * 5000)]
    (listed,) = (await get(api, "/v1/dead"))["letters"]
    assert listed.pop("cause").startswith("Traceback\nxx")
    assert listed == {
        "id": dead.id,
        "reason": "memory",
        "buried_at": "2024-10-01T00:00:00.000Z",
        "event_id": f"{dead.id}.1",
        "size": len(encode(dead)),
        "retryable": True,
        "kind": "html",
        "url": "https://example.com/a",
        "labels": {"desk": "7"},
        "lane": "bulk",
        "run": 1,
        "attempt": 2,
        "accepted_at": "2024-10-01T00:00:00.000Z",
    }


@pytest.mark.parametrize(("order", "step"), [("newest", -1), ("oldest", 1)])
async def test_pages_show_every_letter_once_in_order(api: RunningApi, order: str, step: int) -> None:
    buried = bury(api, 7)
    seen, after = [], ""
    while True:
        page = await get(api, f"/v1/dead?order={order}&limit=3{after}")
        seen += ids(page)
        assert page["count"] == 7
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert seen == buried[::step]


async def test_a_letter_that_goes_between_two_pages_moves_no_other(api: RunningApi) -> None:
    buried = bury(api, 4)
    page = await get(api, "/v1/dead?order=oldest&limit=2")
    del api.broker.letters[:2]
    assert ids(await get(api, f"/v1/dead?order=oldest&after={page['next']}")) == buried[2:]


async def test_the_list_can_be_of_one_reason(api: RunningApi) -> None:
    bury(api, 2)
    (crashed,) = bury(api, 1, reason=Reason.PARSER_CRASH)
    assert ids(await get(api, "/v1/dead?reason=parser_crash")) == [crashed]


async def test_a_list_says_when_there_are_more_than_a_look_reaches(api: RunningApi) -> None:
    api.broker.scan_reaches_all = False
    assert (await get(api, "/v1/dead"))["complete"] is False


@pytest.mark.parametrize(
    ("method", "target", "field", "rule"),
    [
        ("GET", "?limit=0", "limit", "count"),
        ("GET", "?limit=1001", "limit", "count"),
        ("GET", "?limit=x", "limit", "count"),
        ("GET", "?order=up", "order", "not_allowed"),
        ("GET", "?reason=whim", "reason", "not_allowed"),
        ("GET", "?after=%21", "after", "cursor"),
        ("GET", "?after=abcd", "after", "cursor"),
        ("GET", "?after=%C3%A9", "after", "cursor"),
        ("GET", "?since=1", "since", "unknown_parameter"),
        ("GET", "?limit=1&limit=2", "limit", "repeated"),
        ("GET", "/x?body=1", "body", "not_allowed"),
        ("POST", "/retry", "reason", "exactly_one"),
        ("POST", "/retry?all=false", "reason", "exactly_one"),
        ("POST", "/retry?all=yes", "all", "not_allowed"),
        ("POST", "/retry?all=true&reason=memory", "reason", "exactly_one"),
        ("POST", "/x/retry?all=true", "all", "unknown_parameter"),
        ("DELETE", "", "reason", "exactly_one"),
        ("DELETE", "?reason=whim", "reason", "not_allowed"),
        ("DELETE", "/x?all=true", "all", "unknown_parameter"),
    ],
)
async def test_refusals(api: RunningApi, method: str, target: str, field: str, rule: str) -> None:
    bury(api, 1)
    answer = await problem(await api.client.request(method, f"/v1/dead{target}"))
    assert (answer["status"], answer["type"]) == (400, "/problems/invalid-parameter")
    assert [(error["field"], error["rule"]) for error in answer["errors"]] == [(field, rule)]
    assert len(api.broker.letters) == 1


# one letter


async def test_a_letter_is_shown_without_its_content_unless_asked(api: RunningApi) -> None:
    past = Attempt(reason=Reason.PARSE_TIMEOUT, at="2024-10-01T00:00:00.000Z", detail="20 s")
    dead = job(attempt=2, history=(past,))
    api.broker.letters = [letter(dead, cause="c" * 5000)]
    shown = await get(api, f"/v1/dead/{dead.id}")
    assert shown["history"] == [{"reason": "parse_timeout", "at": "2024-10-01T00:00:00.000Z", "detail": "20 s"}]
    assert (shown["cause"], shown["copies"]) == ("c" * 5000, 1)
    assert SECRET_TEXT not in str(shown)
    assert "body" not in shown
    asked = await get(api, f"/v1/dead/{dead.id}?body=true")
    assert b64decode(asked.pop("body")) == encode(dead)
    assert asked == shown


async def test_of_several_letters_of_a_document_the_latest_run_is_shown(api: RunningApi) -> None:
    dead = job()
    api.broker.letters = [letter(dead, 0), letter(replace(dead, run=2), 1), letter(dead, 2)]
    shown = await get(api, f"/v1/dead/{dead.id}")
    assert (shown["run"], shown["copies"]) == (2, 3)


async def test_a_letter_that_holds_no_job_is_shown(api: RunningApi) -> None:
    api.broker.letters = [letter(GARBAGE, reason=Reason.UNDECODABLE, cause="undecodable: not JSON")]
    (listed,) = (await get(api, "/v1/dead"))["letters"]
    shown = await get(api, f"/v1/dead/{listed['id']}?body=true")
    assert (shown["reason"], shown["cause"]) == ("undecodable", "undecodable: not JSON")
    assert (shown["size"], shown["retryable"], shown["event_id"]) == (len(GARBAGE), False, None)
    assert b64decode(shown["body"]) == GARBAGE


async def test_a_retry_puts_the_next_run_and_takes_the_letter_away(api: RunningApi) -> None:
    dead = job(attempt=3)
    api.broker.letters = [letter(dead), *(letter(job()) for _ in range(2))]
    response = await api.client.post(f"/v1/dead/{dead.id}/retry")
    assert response.status == 202
    assert await response.json() == {"id": dead.id, "retried": 1, "kept": 0, "more": False}
    (put,) = api.broker.jobs
    assert (put.event_id, put.attempt, put.content) == (f"{dead.id}.2", 1, SECRET_TEXT)
    assert len(api.broker.letters) == 2
    assert api.sample("copydesk_dead_letters_total", action="retry") == 1


async def test_a_letter_without_a_job_is_not_retried(api: RunningApi) -> None:
    api.broker.letters = [letter(GARBAGE)]
    answer = await problem(await api.client.post(f"/v1/dead/{api.broker.letters[0].id}/retry"))
    assert (answer["status"], answer["type"]) == (409, "/problems/not-retryable")
    assert len(api.broker.letters) == 1


async def test_a_dropped_letter_is_gone(api: RunningApi) -> None:
    first, second = bury(api, 2)
    response = await api.client.delete(f"/v1/dead/{first}")
    assert (response.status, await response.json()) == (200, {"id": first, "dropped": 1, "more": False})
    assert [left.id for left in api.broker.letters] == [second]
    assert api.broker.jobs == []
    assert api.sample("copydesk_dead_letters_total", action="drop") == 1


@pytest.mark.parametrize(("method", "path"), [("GET", "/nobody"), ("POST", "/nobody/retry"), ("DELETE", "/nobody")])
@pytest.mark.parametrize("reach", [True, False])
async def test_an_id_without_a_letter_is_404(api: RunningApi, method: str, path: str, reach: bool) -> None:
    bury(api, 1)
    api.broker.scan_reaches_all = reach
    answer = await problem(await api.client.request(method, f"/v1/dead{path}"))
    assert (answer["status"], answer["type"]) == (404, "/problems/not-found")
    assert ("more letters than one scan reaches" in answer["detail"]) is not reach


# a letter by the beginning of its id

ONE_LETTER = pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/retry"), ("DELETE", "")])


def bury_as(api: RunningApi, *ids: str) -> None:
    api.broker.letters += [letter(replace(job(), id=name)) for name in ids]


@ONE_LETTER
@pytest.mark.parametrize("given", ["019a1b2c", "019a1b2c-7", "019a1b2c-7000-8000"])
async def test_the_beginning_of_an_id_is_enough_where_it_is_the_only_one(
    api: RunningApi, method: str, path: str, given: str
) -> None:
    bury_as(api, "019a1b2d-7000-8000", "019a1b2c-7000-8000", "019a1b2c-7000-8000")
    response = await api.client.request(method, f"/v1/dead/{given}{path}")
    assert response.ok
    assert (await response.json())["id"] == "019a1b2c-7000-8000"
    assert len(api.broker.letters) == (3 if method == "GET" else 1)


@ONE_LETTER
async def test_what_begins_several_ids_is_refused_and_says_how_much_tells_them_apart(
    api: RunningApi, method: str, path: str
) -> None:
    moment = "019a1b2c-7000-8000"
    bury_as(api, f"{moment}-aa", f"{moment}-ab", f"{moment}-b", f"{moment}-c", "019a1b2d-7000-8000")
    answer = await problem(await api.client.request(method, f"/v1/dead/019a1b2c{path}"))
    assert (answer["status"], answer["type"]) == (409, "/problems/ambiguous-id")
    assert answer["detail"].startswith("4 dead letters have ids that begin with 019a1b2c: ")
    assert f"{moment}-b" in answer["detail"]
    assert "first 21 characters" in answer["detail"]
    assert len(api.broker.letters) == 5
    longer = await api.client.request(method, f"/v1/dead/{f'{moment}-ab'[:21]}{path}")
    assert (await longer.json())["id"] == f"{moment}-ab"


@ONE_LETTER
async def test_a_whole_id_wins_over_those_that_begin_with_it(api: RunningApi, method: str, path: str) -> None:
    bury_as(api, "ferry-2024-1", "ferry-2024")
    response = await api.client.request(method, f"/v1/dead/ferry-2024{path}")
    assert (await response.json())["id"] == "ferry-2024"


@ONE_LETTER
async def test_fewer_than_eight_characters_name_only_a_whole_id(api: RunningApi, method: str, path: str) -> None:
    bury_as(api, "019a1b2c-7000", "ferry")
    answer = await problem(await api.client.request(method, f"/v1/dead/019a1b2{path}"))
    assert (answer["status"], "8 characters or more" in answer["detail"]) == (404, True)
    assert (await api.client.request(method, f"/v1/dead/ferry{path}")).ok


@ONE_LETTER
async def test_where_a_look_does_not_reach_all_only_a_whole_id_is_sure(api: RunningApi, method: str, path: str) -> None:
    bury_as(api, "019a1b2c-7000")
    api.broker.scan_reaches_all = False
    answer = await problem(await api.client.request(method, f"/v1/dead/019a1b2c{path}"))
    assert (answer["status"], "whole id" in answer["detail"]) == (409, True)
    assert (await api.client.request(method, f"/v1/dead/019a1b2c-7000{path}")).ok


# many


async def test_all_of_a_reason_are_retried(api: RunningApi) -> None:
    others = bury(api, 1)
    crashed = bury(api, 3, reason=Reason.PARSER_CRASH)
    response = await api.client.post("/v1/dead/retry?reason=parser_crash")
    assert (response.status, await response.json()) == (202, {"retried": 3, "kept": 0, "more": False})
    assert [put.id for put in api.broker.jobs] == crashed
    assert [left.id for left in api.broker.letters] == others


async def test_all_are_retried_but_those_that_hold_no_job(api: RunningApi) -> None:
    bury(api, 2)
    api.broker.letters.append(letter(GARBAGE))
    api.broker.scan_reaches_all = False
    response = await api.client.post("/v1/dead/retry?all=true")
    assert await response.json() == {"retried": 2, "kept": 1, "more": True}


@pytest.mark.parametrize(("query", "dropped"), [("reason=parser_crash", 2), ("all=true", 3), ("reason=gone", 0)])
async def test_many_are_dropped(api: RunningApi, query: str, dropped: int) -> None:
    bury(api, 1)
    bury(api, 2, reason=Reason.PARSER_CRASH)
    response = await api.client.delete(f"/v1/dead?{query}")
    assert (response.status, await response.json()) == (200, {"dropped": dropped, "more": False})
    assert len(api.broker.letters) == 3 - dropped


# around it


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("GET", "/x"), ("POST", "/x/retry"), ("DELETE", "/x"), ("POST", "/retry?all=true")],
)
async def test_broker_away_is_503(api: RunningApi, method: str, path: str) -> None:
    api.broker.refusal = BrokerUnavailable("amqp://user:hunter2@broker")
    response = await api.client.request(method, f"/v1/dead{path}")
    assert (await problem(response))["type"] == "/problems/broker-unavailable"
    assert response.headers["Retry-After"] == "5"
    assert "hunter2" not in await response.text()


async def test_full_intake_is_429(api: RunningApi) -> None:
    api.broker.refusal = BrokerFull()
    response = await api.client.post("/v1/dead/retry?all=true")
    assert (await problem(response))["type"] == "/problems/intake-full"
    assert response.headers["Retry-After"] == "10"


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/retry?all=true"), ("DELETE", "?all=true")])
async def test_without_a_key_all_routes_are_refused(start_api: StartApi, method: str, path: str) -> None:
    api = await start_api(keys=("ann:hush",))
    bury(api, 1)
    response = await api.client.request(method, f"/v1/dead{path}")
    assert (await problem(response))["type"] == "/problems/unauthorized"
    assert len(api.broker.letters) == 1


async def test_the_callers_name_is_logged_without_content(start_api: StartApi) -> None:
    api = await start_api(keys=("ann:hush",))
    (dead,) = bury(api, 1)
    with capture_logs() as logs:
        await api.client.delete(f"/v1/dead/{dead}", headers={"Authorization": "Bearer hush"})
    assert [(entry["event"], entry["by"], entry["chosen"], entry["done"]) for entry in logs] == [
        ("dead_letters_dropped", "ann", dead, 1)
    ]
    assert SECRET_TEXT not in str(logs)
