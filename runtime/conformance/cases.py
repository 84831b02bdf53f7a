"""The events that a subscriber is sent, each with what a right one does.

A subscriber says what it did by lines on its standard output: one for each event that it acts on, with the id of the
document somewhere in it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any, Final

import orjson

from contract.article import Article, Failure
from contract.codec import MAX_EVENT_BYTES, encode
from contract.events import PROCESSED, Event, FailedEvent, ProcessedEvent, erased
from contract.ids import new_document_id
from contract.job import Kind
from contract.reasons import Reason

TIME: Final = "2026-11-29T10:00:00.000Z"
LATER: Final = "2026-11-29T10:00:05.000Z"
_TEXT: Final = "The ferry between the harbour and the lower town sails again from Monday, the council said."
_TITLE: Final = 'A title with a tab\t, "quotes", a line break\nand Ünïcödé \u2028 🚢'


@dataclass(frozen=True, slots=True)
class Case:
    """Events that are sent in this order, and between how many and how many lines name their document.

    `rule` says what a right subscriber does.
    """

    name: str
    rule: str
    events: tuple[bytes, ...]
    document: str
    least: int = 1
    most: int = 1


def cases() -> Iterator[Case]:
    """Yields the cases. The repeats at the end are of the first one."""
    first = _article()
    yield Case("article", "takes an article", (encode(first),), first.subject, 1, 2)  # 2: see the last case
    yield from _repeats()
    yield from _shapes()
    yield from _others()
    yield from _tombstones()
    yield Case("late repeat", "drops a repeat, also after many other events", (encode(first),), first.subject)


def small(count: int) -> Sequence[Case]:
    """Returns so many small articles."""
    found = (_article() for _ in range(count))
    return [Case("article", "takes an article", (encode(one),), one.subject) for one in found]


def _repeats() -> Iterator[Case]:
    event = _article()
    repeat = _changed(event, time=LATER)
    yield Case("repeat", "drops a repeat by its id, also with another time", (encode(event), repeat), event.subject)
    event = _article()
    second = _changed(event, id=f"{event.subject}.2", time=LATER)
    yield Case("later run", "takes a later run: it is news, no repeat", (encode(event), second), event.subject, 2, 2)
    event = _article()
    second = _changed(event, id=f"{event.subject}.2", time=LATER)
    yield Case("reordered", "takes runs in another order", (second, encode(event)), event.subject, 1, 2)


def _shapes() -> Iterator[Case]:
    event = _article()
    more = {"extension": 1, "data": {**orjson.loads(encode(event))["data"], "mood": {"of": ["the", "day"]}}}
    yield Case("unknown fields", "ignores fields that it does not know", (_changed(event, **more),), event.subject)
    event = _article()
    yield Case("earliest version", "takes an article without the optional fields", (_least(event),), event.subject)
    event = _article(title=_TITLE, labels={"desk 7": "ä\u2028"})
    yield Case("odd characters", "takes a title with line breaks and emoji", (encode(event),), event.subject)
    event = _article()
    room = MAX_EVENT_BYTES - len(encode(event))
    event = _article(event.subject, text=_TEXT + "x" * room)
    yield Case("largest event", f"takes an event of {MAX_EVENT_BYTES} bytes", (encode(event),), event.subject)


def _others() -> Iterator[Case]:
    event = _article()
    later = {"type": PROCESSED.replace(".v1", ".v2"), "data": {"document": {"id": event.subject}, "blocks": []}}
    yield Case("later version", "ignores a type of a later version", (_changed(event, **later),), event.subject, 0, 0)
    event = _article()
    unknown = {"type": "copydesk.something.happened.v1", "data": {"id": event.subject}}
    yield Case(
        "unknown type", "ignores a type that it does not know", (_changed(event, **unknown),), event.subject, 0, 0
    )
    event = _article()
    failed = FailedEvent(
        id=f"{event.subject}.1",
        subject=event.subject,
        time=TIME,
        data=Failure(id=event.subject, kind=Kind.URL, labels={}, reason=Reason.NOT_FOUND, detail="404", attempts=1),
    )
    yield Case("failure", "takes or ignores a failed document", (encode(failed),), event.subject, 0)


def _tombstones() -> Iterator[Case]:
    event = _article()
    tombstone = encode(erased(event.subject, LATER))
    yield Case(
        "erased",
        "says once that it deletes an erased document",
        (encode(event), tombstone, tombstone),
        event.subject,
        2,
        2,
    )
    event = _article()
    late = (encode(erased(event.subject, LATER)), encode(event))
    yield Case("erased before", "takes nothing of a document that is erased already", late, event.subject)


def _article(document: str | None = None, **more: Any) -> ProcessedEvent:  # noqa: ANN401 - fields of an article
    id_ = document or new_document_id()
    article = Article(
        id=id_,
        kind=Kind.TEXT,
        labels={},
        text=_TEXT,
        title="The ferry sails again",
        language="en",
        excerpt=_TEXT,
        word_count=len(_TEXT.split()),
        char_count=len(_TEXT),
        reading_time_s=4,
        content_sha256="0" * 64,
        simhash="0" * 16,
    )
    return ProcessedEvent(id=f"{id_}.1", subject=id_, time=TIME, data=replace(article, **more))


def _changed(event: Event, **members: object) -> bytes:
    return orjson.dumps(orjson.loads(encode(event)) | members)


def _least(event: ProcessedEvent) -> bytes:
    """Returns an event as the first version had it: without the fields that have defaults."""
    whole: Mapping[str, Any] = orjson.loads(encode(event))["data"]
    required = [field.name for field in fields(Article) if field.default is field.default_factory is MISSING]
    return _changed(event, data={name: whole[name] for name in required})
