"""A document that is posted, version 1: its shape, its rules, and the job that it becomes."""

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, partial
from typing import Annotated, Final

import orjson
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.config import JsonDict

from contract import rules
from contract.charsets import CharsetSource, Decoded
from contract.codec import adapter
from contract.faults import Fault, InvalidSubmissionError, MalformedSubmissionError, fault_of
from contract.job import CallerMetadata, Job, Kind, Lane, PostedJob
from contract.options import Focus, Format, OnDuplicate, Options, Part
from contract.posted_content import posted_content
from contract.timestamps import rfc3339

# Chosen: far more than documents have, and small compared with the 12 MiB of an event.
MAX_LABELS: Final = 16  # labels of a document
MAX_AUTHORS: Final = 50  # names
KEY_CHARS: Final = 255  # of an idempotency key; chosen

_MAX_FAULTS = 20  # in one answer; chosen: as many as a person corrects in one go


_Few = BeforeValidator(rules.refuse_many)
_Content = Annotated[str, AfterValidator(rules.is_text), AfterValidator(rules.filled)]
_Name = Annotated[str, Field(max_length=256), AfterValidator(rules.spaced), AfterValidator(rules.filled)]
_Title = Annotated[str, Field(max_length=1024), AfterValidator(rules.spaced), AfterValidator(rules.filled)]
_Url = Annotated[
    str, Field(max_length=rules.MAX_URL_CHARS), AfterValidator(rules.fetchable), AfterValidator(rules.short_url)
]
_Language = Annotated[str, Field(max_length=64), AfterValidator(rules.standard_language)]
_Date = Annotated[str, Field(max_length=40), AfterValidator(rules.standard_date)]
# Labels are carried through untouched, so a control character in one is refused, not dropped.
_LabelName = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(rules.without_controls)]
_LabelValue = Annotated[str, Field(max_length=256), AfterValidator(rules.without_controls)]
_Key = Annotated[str, Field(min_length=1, max_length=KEY_CHARS), AfterValidator(rules.visible_ascii)]
_Formats = Annotated[tuple[Format, ...], Field(min_length=1), AfterValidator(rules.distinct), _Few]
_Parts = Annotated[tuple[Part, ...], AfterValidator(rules.distinct), _Few]


_JSON_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedMetadata:
    """Metadata from the caller. It takes precedence over extracted metadata."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    title: _Title | None = None
    authors: Annotated[tuple[_Name, ...], Field(max_length=MAX_AUTHORS), _Few] = ()
    published: _Date | None = None
    language: _Language | None = None
    site_name: _Name | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedOptions:
    """How to process the document. Without a lane the route chooses it; the rest is as in `contract.options`.

    `callback_url`: where its event is posted to when it is decided.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    lane: Lane | None = None
    formats: _Formats = Options().formats
    include: _Parts = Options().include
    focus: Focus = Focus.BALANCED
    keep_all: Annotated[bool, Field(strict=True)] = False
    on_duplicate: OnDuplicate = OnDuplicate.PUBLISH
    callback_url: _Url | None = field(default=None, repr=False)


def _given(name: str) -> JsonDict:
    return {"required": [name], "properties": {name: {"type": "string"}}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One document: `text`, or `html`, or a `url` to fetch. With `text` or `html`, `url` is where it came from."""

    __pydantic_config__ = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "oneOf": [
                _given("text"),
                _given("html"),
                {**_given("url"), "not": {"anyOf": [_given("text"), _given("html")]}},
            ]
        },
    )

    url: _Url | None = None
    text: _Content | None = None
    html: _Content | None = None
    metadata: Annotated[SubmittedMetadata, _Few] = SubmittedMetadata()
    labels: Annotated[Mapping[_LabelName, _LabelValue], Field(max_length=MAX_LABELS), _Few] = field(
        default_factory=dict
    )
    options: Annotated[SubmittedOptions, _Few] = SubmittedOptions()

    def __post_init__(self) -> None:
        if self.text is not None and self.html is not None:
            rules.refuse("exactly_one", "must hold text or html, not both")
        if self.url is None and self.content is None:
            rules.refuse("exactly_one", "must hold one of url, text and html")

    @property
    def kind(self) -> Kind:
        """What the document was submitted as."""
        if self.text is not None:
            return Kind.TEXT
        return Kind.URL if self.html is None else Kind.HTML

    @property
    def content(self) -> str | None:
        """The text or HTML, None for a URL to fetch."""
        return self.html if self.text is None else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class HowDecoded:
    """The charset that the caller decoded the content from, and how the caller knew it. Events report it."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    charset: Annotated[str, Field(min_length=1, max_length=40), AfterValidator(rules.visible_ascii)]
    source: CharsetSource


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkSubmission(Submission):
    """One document of many. `idempotency_key`: its own, which counts in place of that of the request."""

    idempotency_key: _Key | None = None
    decoded: HowDecoded | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """A submission, and warnings about parts of the request that were left out.

    `decoded` says how its content was decoded, if it came as bytes. `key` is the idempotency key of a line, if it has
    one of its own. `content_json` is the content as a JSON string, where it is at hand.
    """

    submission: Submission
    warnings: tuple[Fault, ...] = ()
    decoded: Decoded | None = None
    key: str | None = None
    content_json: bytes | None = None


def parse_submission(body: bytes) -> Checked:
    """Returns the submission in `body`, UTF-8 JSON. A byte order mark is skipped, a lone surrogate becomes U+FFFD.

    Raises:
        MalformedSubmissionError: not UTF-8, empty, or not JSON.
        InvalidSubmissionError: breaks a rule of this module, or holds a field that it does not know.
    """
    return _parsed(body, _of_submissions())


def parse_line(body: bytes) -> Checked:
    """Returns the submission in `body`, one of many: a `BulkSubmission`.

    Raises:
        MalformedSubmissionError, InvalidSubmissionError: as for `parse_submission`.
    """
    checked = _parsed(body, _of_bulk_submissions())
    line = checked.submission
    if not isinstance(line, BulkSubmission) or (line.idempotency_key is None and line.decoded is None):
        return checked
    how = line.decoded
    decoded = None if how is None else Decoded(line.content or "", how.charset, how.source)
    return replace(checked, key=line.idempotency_key, decoded=decoded)


def _parsed(body: bytes, kind: TypeAdapter[Submission] | TypeAdapter[BulkSubmission]) -> Checked:
    posted = posted_content(body)
    if posted is None:
        return _check(_decoded(body), kind, len(body))
    return replace(_check(posted.fields, kind, len(body)), content_json=posted.json)


def _decoded(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _mended(body)


def _mended(body: bytes) -> object:
    """Returns the JSON in `body`, which orjson does not take as it is."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise MalformedSubmissionError([Fault("body", "invalid_utf8", f"is not UTF-8 at byte {error.start}")]) from None
    body = body.removeprefix(codecs.BOM_UTF8)
    if not body.strip():
        raise MalformedSubmissionError([Fault("body", "empty", "is empty: it must be a JSON object")])
    try:
        return orjson.loads(_JSON_ESCAPE.sub(lambda escape: b"\\ufffd" if escape[1] else escape[0], body))
    except orjson.JSONDecodeError as error:
        raise MalformedSubmissionError([Fault("body", "invalid_json", f"is not JSON: {error}")]) from None


def check_submission(fields: object, content_json: bytes | None = None) -> Checked:
    """Returns the submission in `fields`, which is decoded JSON or a mapping of the same shape.

    Beside `text` or `html`, a `url` that cannot be used is left out with a warning. `content_json` is the content as a
    JSON string, where it is at hand.

    Raises:
        InvalidSubmissionError: as for `parse_submission`.
    """
    if content_json is None:
        return _check(fields, _of_submissions(), None)
    return replace(_check(fields, _of_submissions(), len(content_json)), content_json=content_json)


def _check(fields: object, kind: TypeAdapter[Submission] | TypeAdapter[BulkSubmission], in_json: int | None) -> Checked:
    """Returns the submission of a `kind` in `fields`, which came as JSON of `in_json` bytes, if that is known."""
    try:
        return _checked(fields, kind, in_json)
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False)[:_MAX_FAULTS]
        raise InvalidSubmissionError([fault_of(detail) for detail in details]) from None


def _checked(
    fields: object, kind: TypeAdapter[Submission] | TypeAdapter[BulkSubmission], in_json: int | None
) -> Checked:
    warnings: tuple[Fault, ...] = ()
    try:
        submission: Submission = kind.validate_python(fields, context=in_json)
    except ValidationError:
        fields, warnings = _without_bad_origin(fields)
        if not warnings:
            raise
        submission = kind.validate_python(fields, context=in_json)
    return Checked(submission, (*warnings, *_dropped_controls(fields)))


@cache
def _of_submissions() -> TypeAdapter[Submission]:
    return TypeAdapter(Annotated[Submission, _Few])


@cache
def _of_bulk_submissions() -> TypeAdapter[BulkSubmission]:
    return TypeAdapter(Annotated[BulkSubmission, _Few])


def _without_bad_origin(fields: object) -> tuple[object, tuple[Fault, ...]]:
    if not isinstance(fields, dict) or not isinstance(fields.get("url"), str):
        return fields, ()
    if fields.get("text") is None and fields.get("html") is None:
        return fields, ()
    try:
        adapter(_Url).validate_python(fields["url"])
    except ValidationError as error:
        fault = fault_of(error.errors(include_input=False, include_url=False)[0])
        kept = {name: value for name, value in fields.items() if name != "url"}
        return kept, (Fault("url", fault.rule, f"{fault.message}; the document is taken without it"),)
    return fields, ()


def _dropped_controls(fields: object) -> Iterator[Fault]:
    """Yields a warning for each metadata field of valid `fields` that lost control characters."""
    metadata = fields.get("metadata") if isinstance(fields, dict) else None
    if not isinstance(metadata, dict):
        return
    for name in ("title", "authors", "site_name"):
        given = metadata.get(name) or ""
        if any(rules.holds_controls(value) for value in ([given] if isinstance(given, str) else given)):
            yield Fault(f"metadata.{name}", "control_character", "holds control characters, which are left out")


def to_job(  # noqa: PLR0913 - what a job has beyond its submission
    submission: Submission,
    *,
    id: str,  # noqa: A002 - the job's own word
    lane: Lane,
    accepted_at: datetime,
    decoded: Decoded | None = None,
    owner: str | None = None,
    keep_input: bool = False,
    batch: str | None = None,
    content_json: bytes | None = None,
) -> Job:
    """Returns the job of `submission`, first attempt of the first run.

    Args:
        submission: the parsed request.
        id: the document's id.
        lane: the queue it waits in. The caller chooses it from `submission.options`.
        accepted_at: an aware time.
        decoded: how the content was decoded, where it came as bytes.
        owner: the name of the API key that posted.
        keep_input: see `Job`.
        batch: the name of its batch.
        content_json: see `Checked`.
    """
    metadata = submission.metadata
    make = Job if content_json is None else partial(PostedJob, content_json=content_json)
    return make(
        id=id,
        kind=submission.kind,
        lane=lane,
        accepted_at=rfc3339(accepted_at),
        url=submission.url,
        content=submission.content,
        charset=decoded.charset if decoded else None,
        charset_source=decoded.source if decoded else None,
        metadata=CallerMetadata(
            title=metadata.title,
            authors=metadata.authors,
            published=metadata.published,
            language=metadata.language,
            site_name=metadata.site_name,
        ),
        labels=submission.labels,
        options=_options(submission.options),
        owner=owner,
        keep_input=keep_input,
        batch=batch,
        callback_url=submission.options.callback_url,
    )


def _options(options: SubmittedOptions) -> Options:
    return Options(
        formats=options.formats,
        include=options.include,
        focus=options.focus,
        keep_all=options.keep_all,
        on_duplicate=options.on_duplicate,
    )
