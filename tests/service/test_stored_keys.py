"""Keys of the ledger over HTTP: scopes, owners, revocation, an absent ledger, and limits."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import orjson
import pytest

from contract.broker import BrokerFull
from contract.keys import UNLIMITED, Key, Limits, Scope, digest_of, new_id, new_token
from contract.ledger import LedgerUnavailable
from contract.quotas import Standing
from service.access.stored_keys import FRESH_S, StoredKeys
from service.routes import operations
from tests.brokers import samples
from tests.service.conftest import NOW, RunningApi, StartApi, problem
from tests.service.memory_dead import letter
from tests.service.test_every_route import document_for, filled, routes, valid

SECRET = "s" * 32
OUTAGE_S = 60.0


@dataclass
class Book:
    """Implements `contract.keys.KeyBook` in memory, with a clock that a test moves."""

    keys: dict[str, Key] = field(default_factory=dict)
    is_away: bool = False
    elapsed: float = 1000.0

    async def usable_keys(self) -> Sequence[Key]:
        if self.is_away:
            raise LedgerUnavailable
        return [key for key in self.keys.values() if key.revoked_at is None]

    def make(self, owner: str, *scopes: Scope, limits: Limits = UNLIMITED) -> str:
        """Returns the token of a new key."""
        key_id = new_id()
        token = new_token(key_id)
        self.keys[key_id] = Key(
            id=key_id,
            owner=owner,
            digest=digest_of(token, SECRET),
            scopes=frozenset(scopes),
            limits=limits,
            created_at=NOW,
        )
        return token

    def change(self, token: str, **values: object) -> None:
        key_id = token.split("_")[1]
        self.keys[key_id] = replace(self.keys[key_id], **values)  # type: ignore[arg-type] # fields of a key


@dataclass
class Locked:
    """An API whose keys are those of a ledger."""

    api: RunningApi
    book: Book
    stored: StoredKeys

    async def get(self, token: str, path: str = "/v1/dead") -> int:
        response = await self.api.client.get(path, headers=bearer(token))
        await response.read()
        return response.status

    async def post(
        self, token: str, text: str = "The ferry sails again."
    ) -> tuple[int, dict[str, str], dict[str, object]]:
        response = await self.api.post(text, "text/plain", **bearer(token))
        return response.status, dict(response.headers), await response.json(content_type=None)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def locked(start_api: StartApi) -> Locked:
    book = Book()
    stored = StoredKeys(book, SECRET, outage_s=OUTAGE_S, clock=lambda: NOW, elapsed=lambda: book.elapsed)
    await stored.refresh()
    limits = {"extract_timeout_s": 0.05, "bulk_max_wait_s": 0.0}  # nobody works here, and a full broker stays full
    return Locked(await start_api(stored_keys=stored, keys=("static:word",), limits=limits), book, stored)


def test_each_operation_below_v1_needs_a_scope_and_no_other_does() -> None:
    assert {one.id for one in operations() if (one.scope is not None) != one.path.startswith("/v1/")} == set()


async def test_without_any_key_in_the_ledger_nobody_gets_in(start_api: StartApi) -> None:
    stored = StoredKeys(Book(), SECRET, outage_s=OUTAGE_S, clock=lambda: NOW)
    await stored.refresh()
    api = await start_api(stored_keys=stored)
    response = await api.post("a", "text/plain")
    assert (await problem(response))["type"] == "/problems/unauthorized"


async def test_a_key_does_what_its_scopes_allow_and_nothing_else(locked: Locked) -> None:
    tokens = {scope: locked.book.make("ann", scope) for scope in Scope}
    await locked.stored.refresh()
    needed = {(one.method, filled(one.path)): one.scope for one in operations()}
    for method, path in routes(locked.api):
        for scope, token in tokens.items():
            if path == "/v1/events" and scope is Scope.ADMIN:
                continue  # it would stream
            response = await locked.api.client.request(
                method, valid(method, path), json=document_for(method, path), headers=bearer(token)
            )
            is_refused = response.status == 403
            assert is_refused == (scope not in {needed[method, path], Scope.ADMIN}), (method, path, scope)
            if is_refused:
                assert (await problem(response))["type"] == "/problems/insufficient-scope"
                assert f'scope="{needed[method, path]}"' in response.headers["WWW-Authenticate"]


async def test_keys_of_the_settings_go_on_beside_those_of_the_ledger(locked: Locked) -> None:
    assert [await locked.get("word"), await locked.get("word", "/v1/events")] == [200, 403]


async def test_a_caller_reaches_its_own_documents_and_an_admin_all(locked: Locked) -> None:
    owners = {"a": Scope.READ, "b": Scope.READ, "r": Scope.ADMIN}
    ann, bob, root = (locked.book.make(name, scope) for name, scope in owners.items())
    await locked.stored.refresh()
    locked.api.broker.letters = [letter(replace(samples.job(), owner=owner)) for owner in ("a", "a", "b")]
    counts = []
    for token in (ann, bob, root):
        response = await locked.api.client.get("/v1/dead", headers=bearer(token))
        counts.append((await response.json())["count"])
    assert counts == [2, 1, 3]


@pytest.mark.parametrize("scope", Scope)
async def test_a_revoked_key_is_refused_at_the_next_reading(locked: Locked, scope: Scope) -> None:
    token = locked.book.make("ann", scope)
    assert await locked.get(token, "/v1/nothing") == 401
    await locked.stored.refresh()
    assert await locked.get(token, "/v1/nothing") == 404
    locked.book.change(token, revoked_at=NOW)
    await locked.stored.refresh()
    assert await locked.get(token, "/v1/nothing") == 401


async def test_a_token_that_was_rotated_away_is_refused_when_its_time_is_over(locked: Locked) -> None:
    token = locked.book.make("ann", Scope.READ)
    digest = digest_of(token, SECRET)
    for until, status in ((NOW + timedelta(seconds=1), 200), (NOW, 401)):
        locked.book.change(token, digest=bytes(32), former=digest, former_until=until)
        await locked.stored.refresh()
        assert await locked.get(token) == status


async def test_while_the_ledger_is_away_known_keys_are_taken_for_a_time_and_admins_hardly(locked: Locked) -> None:
    read, admin = locked.book.make("ann", Scope.READ), locked.book.make("root", Scope.ADMIN)
    await locked.stored.refresh()
    locked.book.is_away = True
    found = []
    for elapsed in (FRESH_S, FRESH_S + 0.1, OUTAGE_S, OUTAGE_S + 0.1):
        locked.book.elapsed = 1000.0 + elapsed
        await locked.stored.refresh()
        found.append([await locked.get(read), await locked.get(admin), await locked.get("word")])
    assert found == [[200, 200, 200], [200, 503, 200], [200, 503, 200], [503, 503, 200]]
    locked.book.is_away = False
    await locked.stored.refresh()
    assert [await locked.get(read), await locked.get(admin)] == [200, 200]


async def test_a_key_that_may_be_new_is_not_called_unknown_while_the_ledger_is_away(locked: Locked) -> None:
    locked.book.is_away = True
    locked.book.elapsed += FRESH_S + 0.1
    await locked.stored.refresh()
    response = await locked.api.client.get("/v1/dead", headers=bearer(new_token(new_id())))
    assert (await problem(response))["type"] == "/problems/keys-unavailable"
    assert response.headers["Retry-After"] == "5"
    assert await locked.get("no-such-key") == 401


async def test_an_open_stream_ends_before_the_next_event_when_its_key_is_revoked(locked: Locked) -> None:
    token = locked.book.make("root", Scope.ADMIN)
    await locked.stored.refresh()
    async with locked.api.client.get("/v1/events", params={"after": "oldest"}, headers=bearer(token)) as stream:
        assert stream.status == 200
        await locked.api.broker.write("processed.en._", b"{}")
        await stream.content.readuntil(b"data: ")
        locked.book.change(token, revoked_at=NOW)
        await locked.stored.refresh()
        await locked.api.broker.write("processed.en._", b"{}")
        async with asyncio.timeout(60):
            rest = await stream.content.read()
    assert rest.count(b"data: ") == 0


async def test_answers_say_what_is_left_and_what_is_too_much_is_refused(locked: Locked) -> None:
    token = locked.book.make("ann", Scope.SUBMIT, limits=Limits(per_minute=2, bytes_a_day=30))
    await locked.stored.refresh()
    status, headers, _ = await locked.post(token, "x" * 20)
    assert (status, headers["RateLimit-Policy"], headers["RateLimit"]) == (
        202,
        '"rate";q=2;w=60, "daily-bytes";q=30;w=86400;qu="content-bytes"',
        '"rate";r=1;t=60, "daily-bytes";r=10;t=55800',
    )
    status, headers, body = await locked.post(token, "x" * 20)
    assert (status, headers["Retry-After"], body["violated-policies"]) == (429, "55800", ["daily-bytes"])
    assert body["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert headers["RateLimit"] == '"rate";r=1;t=60, "daily-bytes";r=10;t=55800'
    assert (await locked.post(token, "x"))[0] == 202
    status, headers, body = await locked.post(token, "x")
    assert (status, headers["Retry-After"], body["violated-policies"]) == (429, "60", ["rate"])
    assert len(locked.api.broker.jobs) == 2


async def test_what_is_refused_is_not_counted(locked: Locked) -> None:
    token = locked.book.make("ann", Scope.SUBMIT, limits=Limits(documents_a_day=1))
    await locked.stored.refresh()
    response = await locked.api.post(orjson.dumps({"txt": "a"}), **bearer(token))
    assert (response.status, "RateLimit" in response.headers) == (422, False)
    locked.api.broker.refusal = BrokerFull()
    status, headers, body = await locked.post(token)
    assert (status, body["type"], headers["RateLimit"]) == (
        429,
        "/problems/intake-full",
        '"daily-documents";r=1;t=55800',
    )
    locked.api.broker.refusal = None
    assert [(await locked.post(token))[0] for _ in range(2)] == [202, 429]


async def test_each_line_of_many_counts_for_itself(locked: Locked) -> None:
    token = locked.book.make("ann", Scope.SUBMIT, limits=Limits(documents_a_day=3, bytes_a_day=10**6))
    await locked.stored.refresh()
    lines = [*(orjson.dumps({"text": f"The ferry sails again on day {n}."}) for n in range(4)), b"{}"]
    response = await locked.api.post(b"\n".join([lines[4], *lines[:4]]), "application/x-ndjson", **bearer(token))
    answers = [orjson.loads(line) for line in (await response.read()).splitlines()]
    assert [answer["status"] for answer in answers] == [422, 202, 202, 202, 429]
    assert (answers[4]["violated-policies"], answers[4]["retry_after"]) == (["daily-documents"], 55800)
    assert len(locked.api.broker.jobs) == 3
    status, headers, _ = await locked.post(token)
    used = sum(len(line) for line in lines[:3])
    assert status == 429
    assert f'"daily-bytes";r={10**6 - used};' in headers["RateLimit"]


async def test_lines_that_the_broker_refuses_are_not_counted(locked: Locked) -> None:
    token = locked.book.make("ann", Scope.SUBMIT, limits=Limits(documents_a_day=2))
    await locked.stored.refresh()
    body = b"\n".join(orjson.dumps({"text": f"The ferry sails again on day {n}."}) for n in range(2))
    found = []
    for refusal in (BrokerFull(), None):
        locked.api.broker.refusal = refusal
        response = await locked.api.post(body, "application/x-ndjson", **bearer(token))
        found.append([orjson.loads(line)["status"] for line in (await response.read()).splitlines()])
    assert found == [[429, 429], [202, 202]]


async def test_a_key_that_is_revoked_while_many_come_posts_no_further_document(locked: Locked) -> None:
    token = locked.book.make("ann", Scope.SUBMIT)
    await locked.stored.refresh()
    line = orjson.dumps({"text": "The ferry sails again."}) + b"\n"

    async def body() -> AsyncIterator[bytes]:
        yield line
        await locked.api.broker.until_put()
        locked.book.change(token, revoked_at=NOW)
        await locked.stored.refresh()
        yield line

    headers = {"Content-Type": "application/x-ndjson", **bearer(token)}
    response = await locked.api.client.post("/v1/documents", data=body(), headers=headers)
    answers = [orjson.loads(answer) for answer in (await response.read()).splitlines()]
    assert [answer["status"] for answer in answers] == [202, 401]


async def test_keys_without_limits_get_no_headers(locked: Locked) -> None:
    token = locked.book.make("ann", Scope.SUBMIT)
    await locked.stored.refresh()
    status, headers, _ = await locked.post(token)
    assert (status, [name for name in headers if name.startswith("RateLimit")]) == (202, [])


class AwayCounter:
    """Implements `contract.quotas.Counter` as one whose database fails or hangs."""

    def __init__(self, failure: Exception | None) -> None:
        self._failure = failure

    async def settle(self, *_: object) -> Standing:
        if self._failure is None:
            await asyncio.Event().wait()
        raise self._failure or AssertionError


@pytest.mark.parametrize("failure", [LedgerUnavailable(), None])
async def test_while_the_shared_count_is_away_each_replica_counts_alone(
    start_api: StartApi, failure: Exception | None
) -> None:
    book = Book()
    token = book.make("ann", Scope.SUBMIT, limits=Limits(documents_a_day=2))
    stored = StoredKeys(book, SECRET, outage_s=OUTAGE_S, clock=lambda: NOW)
    await stored.refresh()
    api = await start_api(stored_keys=stored, counter=AwayCounter(failure))
    statuses = [(await api.post("a", "text/plain", **bearer(token))).status for _ in range(3)]
    assert statuses == [202, 202, 429]
