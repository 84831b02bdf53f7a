"""API keys of the ledger on whole Copydesks: with `up` on SQLite, and with two `serve` on RabbitMQ and PostgreSQL."""

import asyncio
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import aiohttp
import pytest

from tests.postgres_cluster import running_postgres
from tests.rabbit_node import RabbitNode
from tests.system.ledger_stacks import KINDS, Stack, opened, replicas, until
from tests.system.processes import INSTALLED, copydesk

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

SECRET = "5f0c" * 16
REFUSED_WITHIN_S = 5.0  # as promised in docs/operating.md
TOKEN = re.compile(r"cdk_([0-9a-f]{16})_[A-Za-z0-9_-]{43}")


@dataclass
class Keyed:
    """A stack that requires keys, and the commands for them."""

    stack: Stack

    def run(self, *arguments: str) -> str:
        settings = {"COPYDESK_LEDGER_URL": self.stack.ledger_url, "COPYDESK_KEYS_SECRET": SECRET}
        done = copydesk("keys", *arguments, settings=settings, program=INSTALLED)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode().strip()

    @property
    def apis(self) -> list[str]:
        return [server.wait_for_urls("api")["api"] for server in self.stack.servers]

    def printed(self) -> str:
        processes = (*self.stack.servers, *self.stack.recorders, *self.stack.workers)
        return "".join(str(entry) for process in processes for entry in process.log)


@pytest.fixture(scope="module", params=KINDS)
def keyed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyed]:
    """One for all tests: each makes its own keys."""
    with opened(request, tmp_path_factory.mktemp("keys"), {"COPYDESK_KEYS_SECRET": SECRET}) as stack:
        keyed = Keyed(stack)
        assert keyed.apis  # they listen, so the tables are there
        yield keyed


async def status(http: aiohttp.ClientSession, api: str, token: str, text: str | None = None) -> int:
    """Returns the answer's status: to a document that is posted, or to a look at the capacity."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/plain"}
    if text is None:
        async with http.get(f"{api}/v1/capacity", headers=headers) as response:
            return response.status
    async with http.post(f"{api}/v1/documents", headers=headers, data=text) as response:
        return response.status


async def taken(http: aiohttp.ClientSession, apis: list[str], token: str, expected: int = 200) -> float:
    """Waits until all servers answer so, and returns for how many seconds."""
    began = time.monotonic()

    async def is_so() -> bool:
        return {await status(http, api, token) for api in apis} == {expected}

    await until(is_so, seconds=60)
    return time.monotonic() - began


async def test_a_key_is_taken_by_all_servers_and_refused_by_all_soon_after_it_is_revoked(keyed: Keyed) -> None:
    token = await asyncio.to_thread(keyed.run, "create", "ann")
    key_id = TOKEN.fullmatch(token)[1]  # type: ignore[index] # it must match
    async with aiohttp.ClientSession() as http:
        await taken(http, keyed.apis, token)
        assert await asyncio.to_thread(keyed.run, "revoke", key_id) == f"revoked\t{key_id}"
        assert await taken(http, keyed.apis, token, 401) < REFUSED_WITHIN_S
    assert token not in keyed.printed()


async def test_a_rotated_key_has_a_new_token_and_its_former_one_for_a_while(keyed: Keyed) -> None:
    first = await asyncio.to_thread(keyed.run, "create", "ann", "--scope", "read")
    key_id = first.split("_")[1]
    async with aiohttp.ClientSession() as http:
        second = await asyncio.to_thread(keyed.run, "rotate", key_id)
        await taken(http, keyed.apis, second)
        assert {await status(http, api, first) for api in keyed.apis} == {200}
        third = await asyncio.to_thread(keyed.run, "rotate", key_id, "--overlap-s", "0")
        await taken(http, keyed.apis, third)
        assert {await status(http, api, old) for api in keyed.apis for old in (first, second)} == {401}
    listed = await asyncio.to_thread(keyed.run, "list")
    assert listed.count(key_id) == 1
    assert not [token for token in (first, second, third) if token[-43:] in listed]


@pytest.mark.rabbit
async def test_while_postgresql_is_away_known_keys_post_and_admins_wait(rabbit_node: RabbitNode) -> None:
    with running_postgres() as postgres, replicas(rabbit_node, postgres, {"COPYDESK_KEYS_SECRET": SECRET}) as stack:
        keyed = Keyed(stack)
        ann = await asyncio.to_thread(keyed.run, "create", "ann", "--documents-a-day", "1000")
        root = await asyncio.to_thread(keyed.run, "create", "root", "--scope", "admin")
        async with aiohttp.ClientSession() as http:
            for token in (ann, root):
                await taken(http, keyed.apis, token)
            postgres.kill()
            await taken(http, keyed.apis, root, 503)
            assert {await status(http, api, ann, "The ferry sails again.") for api in keyed.apis} == {202}
            assert {await status(http, api, "no-such-key") for api in keyed.apis} == {401}
            await asyncio.to_thread(postgres.start)
            await taken(http, keyed.apis, root)


async def test_a_quota_holds_over_all_servers(keyed: Keyed) -> None:
    token = await asyncio.to_thread(keyed.run, "create", "ann", "--documents-a-day", "10")
    async with aiohttp.ClientSession() as http:
        await taken(http, keyed.apis, token)
        apis = keyed.apis
        statuses = await asyncio.gather(
            *(status(http, apis[n % len(apis)], token, f"The ferry sails again on day {n}.") for n in range(30))
        )
    assert (statuses.count(202), statuses.count(429)) == (10, 20)


async def test_submit_waits_for_its_key_as_long_as_patience_allows(keyed: Keyed, tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.txt" for number in range(4)]
    for file in files:
        file.write_text(f"The ferry sails again on day {file.stem}. " * 5)
    daily = await asyncio.to_thread(keyed.run, "create", "ann", "--documents-a-day", "3")
    often = await asyncio.to_thread(keyed.run, "create", "bob", "--per-minute", "3")
    async with aiohttp.ClientSession() as http:
        for token in (daily, often):
            await taken(http, keyed.apis, token)

    def submit(token: str, patience: str, *names: Path) -> CompletedProcess[bytes]:
        settings = {"COPYDESK_API_KEY": token}
        arguments = ("submit", "--url", keyed.stack.api, "--patience", patience, *map(str, names))
        return copydesk(*arguments, settings=settings, timeout_s=120)

    today = await asyncio.to_thread(submit, daily, "30", *files)
    said = today.stderr.decode()
    assert (today.returncode, today.stdout.decode().count("accepted")) == (3, 3)
    assert "copydesk: the API key has posted as much as it may (daily-documents); it may post again in " in said
    assert "copydesk: 3 accepted, 0 refused, 1 not sent" in said
    alone = await asyncio.to_thread(submit, daily, "0", files[3])
    assert (alone.returncode, alone.stdout) == (3, b"")
    later = await asyncio.to_thread(submit, often, "70", *files)  # a minute passes at most
    assert (later.returncode, later.stdout.decode().count("accepted")) == (0, 4), later.stderr
    assert re.search(r"as much as it may \(rate\); trying again in \d+ s\n", later.stderr.decode())


async def test_documents_of_another_owner_are_not_found_but_by_an_admin(keyed: Keyed) -> None:
    carol, dave = [await asyncio.to_thread(keyed.run, "create", name) for name in ("carol", "dave")]
    root = await asyncio.to_thread(keyed.run, "create", "root", "--scope", "admin")
    async with aiohttp.ClientSession() as http:
        for token in (carol, dave, root):
            await taken(http, keyed.apis, token)
        headers = {
            name: {"Authorization": f"Bearer {token}"} for name, token in zip("cdr", (carol, dave, root), strict=True)
        }
        document = {"text": "The harbour council voted to move the ferry landing. " * 5}
        async with http.post(f"{keyed.stack.api}/v1/documents", json=document, headers=headers["c"]) as response:
            url = f"{keyed.stack.api}{response.headers['Location']}"

        async def found(name: str) -> int:
            async with http.get(url, headers=headers[name]) as response:
                return response.status

        async def is_recorded() -> bool:
            return await found("c") == 200

        await until(is_recorded)
        assert await found("r") == 200
        assert await found("d") in {202, 404}  # 202: an id that may not be recorded yet, as for every unknown one
        async with http.get(f"{keyed.stack.api}/v1/documents", headers=headers["d"]) as response:
            assert (await response.json())["documents"] == []
