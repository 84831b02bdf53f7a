"""A caller sees the dead letters of its own documents; an operator sees all."""

from dataclasses import replace

import pytest

from contract.job import Job
from tests.brokers import samples
from tests.service.conftest import RunningApi, StartApi, problem
from tests.service.memory_dead import letter

KEYS = ("ann:one", "bob:two", "ops:three")


def fill(api: RunningApi) -> tuple[Job, Job]:
    """Buries a document of ann, one of bob, and something that cannot be decoded."""
    anns, bobs = (replace(samples.job(), owner=name) for name in ("ann", "bob"))
    api.broker.letters = [letter(anns), letter(bobs), letter(b"no job")]
    return anns, bobs


async def seen(api: RunningApi, secret: str) -> list[str]:
    response = await api.client.get("/v1/dead", headers={"Authorization": f"Bearer {secret}"})
    listed = await response.json()
    assert listed["count"] == len(listed["letters"])
    return [shown["id"] for shown in listed["letters"]]


async def test_a_caller_sees_the_letters_of_its_own_documents(start_api: StartApi) -> None:
    api = await start_api(keys=KEYS)
    anns, bobs = fill(api)
    assert [await seen(api, secret) for secret in ("one", "two", "three")] == [[anns.id], [bobs.id], []]


async def test_an_operator_sees_all_of_them(start_api: StartApi) -> None:
    api = await start_api(keys=KEYS, operators=frozenset({"ops"}))
    fill(api)
    assert [len(await seen(api, secret)) for secret in ("one", "two", "three")] == [1, 1, 3]


@pytest.mark.parametrize("keys", [("ann:one",), ("ann:one", "ann:new")])
async def test_the_only_name_is_an_operator(start_api: StartApi, keys: tuple[str, ...]) -> None:
    api = await start_api(keys=keys)
    fill(api)
    assert len(await seen(api, "one")) == 3


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "{id}"), ("GET", "{id}?body=true"), ("POST", "{id}/retry"), ("DELETE", "{id}")],
)
@pytest.mark.parametrize("chars", [8, 36])
async def test_a_letter_of_another_owner_is_not_found(start_api: StartApi, method: str, path: str, chars: int) -> None:
    api = await start_api(keys=KEYS)
    anns = replace(samples.job(), owner="ann")
    api.broker.letters = [letter(anns)]
    url = f"/v1/dead/{path.format(id=anns.id[:chars])}"
    response = await api.client.request(method, url, headers={"Authorization": "Bearer two"})
    assert (response.status, (await problem(response))["type"]) == (404, "/problems/not-found")
    assert (len(api.broker.letters), api.broker.jobs) == (1, [])
    response = await api.client.request(method, url, headers={"Authorization": "Bearer one"})
    assert response.status in {200, 202}


@pytest.mark.parametrize(("method", "path", "done"), [("POST", "/retry", "retried"), ("DELETE", "", "dropped")])
async def test_acting_on_all_letters_means_ones_own(start_api: StartApi, method: str, path: str, done: str) -> None:
    api = await start_api(keys=KEYS)
    anns, _ = fill(api)
    response = await api.client.request(method, f"/v1/dead{path}?all=true", headers={"Authorization": "Bearer two"})
    assert (await response.json())[done] == 1
    assert [it.id for it in api.broker.letters if it.job is not None] == [anns.id]
