"""Makes jobs of the documents of one request with many."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from contract.faults import Fault
from contract.idempotency import body_digest
from contract.ids import document_id_for_key, line_id, new_document_id
from contract.job import Job, Lane
from contract.submission import Checked, to_job
from service.api.posting import IDEMPOTENCY_KEY
from service.context import CLOCK, KEEPING
from service.http.middlewares import OWNER
from service.posting.batches import batch_of
from service.posting.callbacks import check_callback
from service.refusals import Problem, ProblemError


@dataclass(frozen=True, slots=True)
class Entry:
    """One document of many: where it stands in the request, its size, and its job, or the problem that refuses it.

    `digest` is that of its body, if the document has an idempotency key: see `contract.idempotency`. `breaks_off`: the
    request cannot be read from here on.
    """

    place: Mapping[str, Any]
    size: int
    outcome: Job | Problem
    warnings: tuple[Fault, ...] = ()
    digest: str | None = None
    breaks_off: bool = False


class EntryMaker:
    """Makes the entries of one request. Each id follows from the `Idempotency-Key`, if there is one, and the number."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self._key = request.headers.get(IDEMPOTENCY_KEY.name)
        batch = batch_of(request)
        self._batch = None if batch is None else batch.name

    def entry(self, place: Mapping[str, Any], number: int, size: int, checked: Checked) -> Entry:
        """Returns the entry of the document `number`, which is `size` bytes large."""
        app, submission = self._request.app, checked.submission
        try:
            check_callback(app, submission)
        except ProblemError as error:
            return Entry(place, size, error.problem, checked.warnings)
        job = to_job(
            submission,
            id=self._id(number, checked.key),
            lane=submission.options.lane or Lane.BULK,
            accepted_at=app[CLOCK](),
            decoded=checked.decoded,
            owner=self._request[OWNER],
            keep_input=app[KEEPING].input,
            batch=self._batch,
            content_json=checked.content_json,
        )
        has_key = self._key is not None or checked.key is not None
        return Entry(place, size, job, checked.warnings, body_digest(submission) if has_key else None)

    def _id(self, number: int, own_key: str | None) -> str:
        if own_key is not None:
            return document_id_for_key(self._request[OWNER], own_key)
        if self._key is not None:
            return line_id(self._request[OWNER], self._key, number)
        return new_document_id()
