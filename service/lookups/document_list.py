"""GET /v1/documents: lists documents with their states, newest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

import orjson
from aiohttp import web

from contract.job import Kind
from contract.ledger import DocumentFilter, DocumentPlace, State
from contract.reasons import Reason
from contract.search import SearchError, Term, parse_query
from contract.submission import MAX_LABELS
from service.access.known_keys import owner_seen
from service.api.document_answers import DocumentList
from service.api.lookups import LIST_DOCUMENTS, MAX_NAME_CHARS
from service.api.operation import JSON
from service.http.parameters import check_parameters
from service.lookups.ledger import asked, ledger_of, shown, tagged
from service.lookups.pages import cursor_to, limit_of, place_of
from service.posting.batches import check_name
from service.refusals import invalid_parameter

E = TypeVar("E", bound=StrEnum)


async def list_documents(request: web.Request) -> web.Response:
    """Answers 200 with `{"documents": [..], "next"}`; `next` is the `cursor` of the next page, null on the last.

    Raises:
        ProblemError: the query breaks a rule, or the ledger is away.
    """
    query = ListQuery.of(request)
    page = await asked(ledger_of(request).page(query.wanted, limit=query.limit, after=query.after))
    following = None if page.next is None else cursor_to(page.next.at_ms, page.next.document_id)
    answer = DocumentList(documents=[shown(run) for run in page.runs], next=following)
    return tagged(request, orjson.dumps(answer), JSON)


@dataclass(frozen=True, slots=True)
class ListQuery:
    """The query for a list: up to `limit` documents that match `wanted`, after the place `after`."""

    wanted: DocumentFilter
    limit: int
    after: DocumentPlace | None

    @classmethod
    def of(cls, request: web.Request) -> "ListQuery":
        """Returns the query in `request`. A caller sees the documents of its own owner, with `admin` all.

        Raises:
            ProblemError: a parameter is unknown or breaks a rule.
        """
        given = check_parameters(request, LIST_DOCUMENTS.parameters)
        wanted = DocumentFilter(
            owner=owner_seen(request),
            state=_word("state", State, given),
            reason=_word("reason", Reason, given),
            kind=_word("kind", Kind, given),
            labels=_labels(request.query.getall("label", [])),
            terms=_terms(given.get("q")),
            host=_text("host", given),
            language=_text("language", given),
            accepted_from=_time("accepted_after", given),
            accepted_until=_time("accepted_before", given),
            published_from=_time("published_after", given),
            published_until=_time("published_before", given),
            batch=_batch(given),
        )
        place = place_of(given)
        return cls(wanted, limit_of(given), None if place is None else DocumentPlace(*place))


def _word(name: str, words: type[E], given: Mapping[str, str]) -> E | None:
    if name not in given:
        return None
    try:
        return words(given[name])
    except ValueError:
        raise invalid_parameter(name, "not_allowed", f"must be one of {', '.join(words)}") from None


def _text(name: str, given: Mapping[str, str]) -> str | None:
    if name not in given:
        return None
    value = given[name]
    if not value or len(value) > MAX_NAME_CHARS or "\0" in value:
        raise invalid_parameter(name, "length", f"must have 1 to {MAX_NAME_CHARS} characters")
    return value.lower()


def _batch(given: Mapping[str, str]) -> str | None:
    if "batch" in given:
        check_name("batch", given["batch"])
    return given.get("batch")


def _time(name: str, given: Mapping[str, str]) -> datetime | None:
    if name not in given:
        return None
    try:
        stated = datetime.fromisoformat(given[name])
    except ValueError:
        message = "must be an ISO 8601 date or date-time, such as 2026-11-28 or 2026-11-28T12:00:00Z"
        raise invalid_parameter(name, "time", message) from None
    return stated if stated.tzinfo else stated.replace(tzinfo=UTC)


def _labels(given: list[str]) -> dict[str, str]:
    if len(given) > MAX_LABELS:
        raise invalid_parameter("label", "too_many", f"must stand there at most {MAX_LABELS} times")
    labels = {}
    for pair in given:
        name, colon, value = pair.partition(":")
        if not name or not colon or len(pair) > MAX_NAME_CHARS + 1 or "\0" in pair:
            raise invalid_parameter("label", "pair", "must be a label's name, a colon and its value, as desk:foreign")
        labels[name] = value
    return labels


def _terms(query: str | None) -> tuple[Term, ...]:
    if query is None:
        return ()
    try:
        return parse_query(query)
    except SearchError as error:
        raise invalid_parameter("q", "query", str(error)) from None
