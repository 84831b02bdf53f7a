from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from aiohttp import ClientResponse

from contract.article import PageKind
from contract.codec import encode
from contract.events import ProcessedEvent
from contract.ids import document_id_for_key
from contract.job import Job
from contract.ledger import LedgerUnavailable
from contract.reasons import Reason
from service.api.lookups import FORMATS
from service.http.accept import preferred
from tests.brokers import samples
from tests.runtime.ledger.records import Records, failed, next_run
from tests.service.conftest import NOW, RunningApi, StartApi, problem
from tests.service.ledgers import BrokenLedger, StartLedgerApi, ledger_api, records

__all__ = ["ledger_api", "records"]

ARTICLE = "application/vnd.copydesk.article+json"

THERE = ("status", "event", "article", "text")  # of an article without further forms


async def view(api: RunningApi, document_id: str, accept: str = "application/json", **query: str) -> ClientResponse:
    return await api.client.get(f"/v1/documents/{document_id}", headers={"Accept": accept}, params=query)


def article(job: Job) -> ProcessedEvent:
    event = samples.processed(job)
    data = replace(event.data, title="Grüße", markdown="# Grüße", html="<p>Grüße", page_kind=PageKind.ARTICLE)
    return replace(event, data=data)


def id_made(at: datetime) -> str:
    """Returns a UUIDv7 of this time."""
    return str(UUID(int=round(at.timestamp() * 1000) << 80 | 0x7 << 76 | 0x2 << 62))


async def test_a_document_that_waits_says_so_and_when_to_ask_again(
    ledger_api: StartLedgerApi, records: Records
) -> None:
    job = samples.job()
    records.accept(job)
    response = await view(await ledger_api(), job.id)
    body = await response.json()
    assert (response.status, body["state"], body["lane"]) == (200, "accepted", "interactive")
    assert (body["labels"], body["kind"], body["event"]) == ({"desk": "foreign"}, "text", None)
    assert response.headers["Retry-After"] == "1"


async def test_a_document_that_waits_for_a_retry_says_why_and_until_when(
    ledger_api: StartLedgerApi, records: Records
) -> None:
    job = samples.job()
    records.accept(job)
    records.retry(job, Reason.DNS_ERROR)
    response = await view(await ledger_api(), job.id)
    body = await response.json()
    assert (body["state"], body["attempts"], body["reason"]) == ("processing", 1, "dns_error")
    wait_s = (datetime.fromisoformat(body["next_at"]) - NOW).total_seconds()
    assert int(response.headers["Retry-After"]) == round(wait_s)


async def test_a_decided_document_links_to_its_event(ledger_api: StartLedgerApi, records: Records) -> None:
    job = samples.job()
    records.accept(job)
    records.decide(article(job))
    api = await ledger_api()
    response = await view(api, job.id)
    body = await response.json()
    assert (body["state"], body["title"], body["attempts"]) == ("processed", "Grüße", 1)
    assert "Retry-After" not in response.headers
    linked = await api.client.get(body["event"])
    assert (linked.status, linked.content_type) == (200, "application/cloudevents+json")
    assert await linked.read() == encode(article(job))


@pytest.mark.parametrize(
    ("name", "accept", "body"),
    [
        ("event", "application/cloudevents+json", None),
        ("text", "text/plain", "Grüße aus Łódź."),
        ("markdown", "text/markdown", "# Grüße"),
        ("html", "text/html", "<p>Grüße"),
    ],
)
async def test_each_form_comes_by_accept_and_by_format(
    ledger_api: StartLedgerApi, records: Records, name: str, accept: str, body: str | None
) -> None:
    job = samples.job()
    records.decide(article(job))
    api = await ledger_api()
    expected = encode(article(job)) if body is None else body.encode()
    for response in (await view(api, job.id, accept), await view(api, job.id, "*/*", format=name)):
        assert (response.status, await response.read(), response.content_type) == (200, expected, accept)
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_the_article_alone_is_the_data_of_the_event(ledger_api: StartLedgerApi, records: Records) -> None:
    job = samples.job()
    records.decide(article(job))
    response = await view(await ledger_api(), job.id, ARTICLE)
    assert response.content_type == ARTICLE
    body = await response.json(content_type=None)
    assert (body["title"], body["text"]) == ("Grüße", "Grüße aus Łódź.")


async def test_article_html_is_served_under_a_strict_policy(ledger_api: StartLedgerApi, records: Records) -> None:
    job = samples.job()
    records.decide(article(job))
    response = await view(await ledger_api(), job.id, "text/html")
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


async def test_a_form_that_is_not_there_yet_is_answered_with_the_state(
    ledger_api: StartLedgerApi, records: Records
) -> None:
    job = samples.job()
    records.accept(job)
    response = await view(await ledger_api(), job.id, "text/plain")
    assert (response.status, (await response.json())["state"]) == (202, "accepted")
    assert response.headers["Retry-After"] == "1"


async def test_a_failed_document_has_an_event_and_no_article(ledger_api: StartLedgerApi, records: Records) -> None:
    job = samples.job()
    records.decide(failed(job, Reason.GONE))
    api = await ledger_api()
    assert (await (await view(api, job.id)).json())["reason"] == "gone"
    assert (await view(api, job.id, "application/cloudevents+json")).status == 200
    answer = await view(api, job.id, "text/plain")
    assert (answer.status, (await problem(answer))["type"]) == (404, "/problems/no-article")


@pytest.mark.parametrize("accept", ["text/markdown", "application/pdf", "text/plain;q=0"])
async def test_an_unavailable_form_is_not_acceptable(ledger_api: StartLedgerApi, records: Records, accept: str) -> None:
    job = samples.job()
    records.decide(samples.processed(job))
    answer = await view(await ledger_api(), job.id, accept)
    told = await problem(answer)
    assert (answer.status, told["type"]) == (406, "/problems/not-acceptable")
    assert told["detail"].endswith(f"There are: {', '.join(FORMATS[name] for name in THERE)}.")


async def test_an_id_is_taken_in_either_case(ledger_api: StartLedgerApi, records: Records) -> None:
    job = samples.job()
    records.decide(article(job))
    api = await ledger_api()
    assert (await (await view(api, job.id.upper())).json())["id"] == job.id


async def test_only_ids_of_our_form_may_be_unknown(ledger_api: StartLedgerApi) -> None:
    api, just_made = await ledger_api(recorded=False), id_made(NOW)
    for form in (f"{{{just_made}}}", f"urn:uuid:{just_made}", just_made.replace("-", "")):
        assert (await view(api, form)).status == 404
    assert (await view(api, just_made.upper())).status == 202


async def test_a_client_with_the_current_tag_gets_304(ledger_api: StartLedgerApi, records: Records) -> None:
    job = samples.job()
    records.decide(article(job))
    api = await ledger_api()
    tags = {}
    for name in FORMATS:
        tags[name] = (await view(api, job.id, "*/*", format=name)).headers["ETag"]
    assert len(set(tags.values())) == len(FORMATS)
    for name, tag in tags.items():
        path = f"/v1/documents/{job.id}?format={name}"
        same = await api.client.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
        assert (same.status, await same.read(), same.headers["ETag"]) == (304, b"", tag)
        assert (await api.client.get(path, headers={"If-None-Match": '"other"'})).status == 200


async def test_the_tag_changes_with_the_state(ledger_api: StartLedgerApi, records: Records) -> None:
    job = samples.job()
    records.accept(job)
    api = await ledger_api()
    before = (await view(api, job.id)).headers["ETag"]
    records.decide(article(job))
    api = await ledger_api()
    assert (await view(api, job.id)).headers["ETag"] != before


async def test_every_run_can_be_looked_at(ledger_api: StartLedgerApi, records: Records) -> None:
    job = samples.job()
    records.accept(job)
    records.decide(failed(job))
    records.accept(next_run(job))
    api = await ledger_api()
    body = await (await view(api, job.id)).json()
    assert (body["run"], body["state"]) == (2, "accepted")
    assert [(run["run"], run["state"]) for run in body["runs"]] == [(1, "failed"), (2, "accepted")]
    first = await (await view(api, job.id, run="1")).json()
    assert (first["state"], first["reason"]) == ("failed", "not_found")
    assert (await view(api, job.id, run="3")).status == 404


async def test_while_a_further_run_is_under_way_the_article_is_there(
    ledger_api: StartLedgerApi, records: Records
) -> None:
    job = samples.job()
    records.decide(article(job))
    records.accept(next_run(job))
    response = await view(await ledger_api(), job.id, "text/markdown")
    assert (response.status, await response.text()) == (200, "# Grüße")


# ids of which nothing is recorded


@pytest.mark.parametrize(
    ("document_id", "status"),
    [
        ("7d3f1f6e-5c3e-4c1a-9f0b-2f6f6e0c8a11", 404),
        ("nonsense", 404),
        (id_made(datetime(2024, 1, 1, tzinfo=UTC)), 404),
        (id_made(NOW + timedelta(hours=1)), 404),
        ("ffffffff-ffff-7fff-bfff-ffffffffffff", 404),
    ],
)
async def test_an_id_that_was_never_accepted_is_not_found(
    ledger_api: StartLedgerApi, records: Records, document_id: str, status: int
) -> None:
    records.accept(samples.job())
    answer = await view(await ledger_api(), document_id)
    assert (answer.status, (await problem(answer))["type"]) == (status, "/problems/not-found")


async def test_a_young_id_is_unknown_with_a_time_to_ask_again(ledger_api: StartLedgerApi) -> None:
    api = await ledger_api(recorded=False)
    for document_id in (id_made(NOW), document_id_for_key("anonymous", "a")):
        response = await view(api, document_id, "text/plain")
        assert response.status == 202
        assert await response.json() == {"id": document_id, "state": "unknown", "recorded_until": None}
        assert response.headers["Retry-After"] == "1"


# access and refusals


async def test_an_owner_sees_its_own_documents_alone(ledger_api: StartLedgerApi, records: Records) -> None:
    mine, other, nobodys = samples.jobs(3)
    records.accept(mine, replace(other, owner="archive"))
    records.decide(samples.processed(nobodys))  # no acceptance is on record
    api = await ledger_api(keys=("newsroom:a-secret", "archive:b-secret"))
    headers = {"Authorization": "Bearer a-secret"}
    found = {
        job.id: (await api.client.get(f"/v1/documents/{job.id}", headers=headers)).status
        for job in (mine, other, nobodys)
    }
    assert list(found.values()) == [200, 404, 404]
    page = await (await api.client.get("/v1/documents", headers=headers)).json()
    assert [document["id"] for document in page["documents"]] == [mine.id]
    assert (await api.client.get(f"/v1/documents/{mine.id}")).status == 401


@pytest.mark.parametrize(
    ("query", "field", "rule"),
    [
        ("format=pdf", "format", "not_allowed"),
        ("run=0", "run", "count"),
        ("run=x", "run", "count"),
        ("run=1&run=2", "run", "repeated"),
        ("other=1", "other", "unknown_parameter"),
    ],
)
async def test_a_wrong_query_is_refused_by_name(ledger_api: StartLedgerApi, query: str, field: str, rule: str) -> None:
    answer = await problem(await (await ledger_api()).client.get(f"/v1/documents/a?{query}"))
    assert [(error["field"], error["rule"]) for error in answer["errors"]] == [(field, rule)]


@pytest.mark.parametrize("path", ["/v1/documents", "/v1/documents/a"])
async def test_without_a_ledger_it_says_so(api: RunningApi, path: str) -> None:
    response = await api.client.get(path)
    assert (response.status, (await problem(response))["type"]) == (503, "/problems/ledger-not-configured")


@pytest.mark.parametrize("path", ["/v1/documents", "/v1/documents/a"])
@pytest.mark.parametrize("failure", [LedgerUnavailable(), None], ids=["fails", "hangs"])
async def test_an_unavailable_ledger_is_reported(
    start_api: StartApi, path: str, failure: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.lookups.ledger._TIMEOUT_S", 0.05)
    response = await (await start_api(ledger=BrokenLedger(failure))).client.get(path)
    assert (response.status, (await problem(response))["type"]) == (503, "/problems/ledger-unavailable")
    assert response.headers["Retry-After"] == "5"


async def test_the_receipt_names_the_place_of_the_document(ledger_api: StartLedgerApi, api: RunningApi) -> None:
    assert "Location" not in (await api.post('{"text": "a"}')).headers
    response = await (await ledger_api()).post('{"text": "a"}')
    assert response.headers["Location"] == f"/v1/documents/{(await response.json())['id']}"


# Accept


@pytest.mark.parametrize(
    ("header", "first"),
    [
        ([], "status"),
        (["*/*"], "status"),
        (["text/plain, text/markdown;q=0.9"], "text"),
        (["text/plain;q=0.5, text/markdown;q=0.9"], "markdown"),
        (["text/*"], "text"),
        (["text/*;q=0.9", "text/plain;q=0.1"], "markdown"),
        (["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], "html"),
        (["APPLICATION/CloudEvents+JSON"], "event"),
        (["application/json;q=0, */*"], "event"),
        (["text/plain;q=0., text/html;q=0.001"], "html"),
    ],
)
def test_the_form_with_the_highest_weight_is_chosen(header: list[str], first: str) -> None:
    assert preferred(header, FORMATS)[0] == first


@pytest.mark.parametrize("weight", ["abc", "", "1.5", "-1", "0.1234", "1.001", "nan", "inf", "1e0", ".5", "\u0661"])
def test_a_range_whose_weight_is_malformed_is_passed_over(weight: str) -> None:
    malformed = f"text/plain;q={weight}"
    assert preferred([malformed, "text/html;q=0.1"], FORMATS) == ["html"]
    assert preferred([malformed], FORMATS) == preferred([], FORMATS)
    assert preferred([malformed, "text/*;q=0.1"], FORMATS)[0] == "text"


def test_unacceptable_forms_are_not_chosen() -> None:
    assert preferred(["application/pdf"], FORMATS) == []
    assert preferred(["text/plain"], FORMATS) == ["text"]
