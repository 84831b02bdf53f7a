"""The body of `POST /v1/documents`, version 1: its shape, its rules, and the job that it becomes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from ipaddress import AddressValueError, IPv6Address
from typing import Annotated, Final, NoReturn
from urllib.parse import urlsplit

import langcodes
import orjson
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.config import JsonDict
from pydantic_core import ErrorDetails, PydanticCustomError
from yarl import URL

from contract.codec import adapter
from contract.job import CallerMetadata, Job, Kind, Lane

MAX_URL_CHARS: Final = 2048
MAX_LABELS: Final = 16
MAX_AUTHORS: Final = 50

_MANY = 64  # no object or array of a submission has so many members; beyond it they are not even listed as faults
_MAX_FAULTS = 20
_MAX_NAME_CHARS = 64

# C0 and DEL but for tab, LF and CR. C1 (U+0080 to U+009F) is let through: text that was decoded wrongly is full of it,
# and repairing that needs the original characters.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_VISIBLE = re.compile(r"[^\s\u200b-\u200d\u2060\ufeff]")
_URL_GAP = re.compile(r"[\x00-\x20\x7f\s]")
_HOST_NAME = re.compile(r"(?=.{1,254}\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE)
_DATE_TIME = re.compile(r"[0-9W-]{7,10}([T ][0-9:.,]+(Z|[+-][0-9:]+)?)?", re.IGNORECASE)
_DATE_MESSAGE = "must be an existing ISO 8601 date or date-time, as 2024-10-19 or 2024-10-19T08:30:00Z"


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule that a request breaks. `field` is a dotted path, as `labels.topic`; the value is never repeated."""

    field: str
    rule: str
    message: str


class SubmissionError(ValueError):
    """The submission breaks a rule; `faults` say which, at least one."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.message}" for fault in faults))
        self.faults = tuple(faults)


class MalformedSubmissionError(SubmissionError):
    """The body is not UTF-8, or not JSON."""


class InvalidSubmissionError(SubmissionError):
    """The body is JSON, but not a submission."""


def _refuse(rule: str, message: str) -> NoReturn:
    raise PydanticCustomError(rule, message)


def _without_controls(value: str) -> str:
    if found := _CONTROL.search(value):
        _refuse("control_character", f"holds control character U+{ord(found[0]):04X} at character {found.start()}")
    return value


def _filled(value: str) -> str:
    if _VISIBLE.search(value) is None:
        _refuse("empty", "must hold more than white space")
    return value


def _fetchable(value: str) -> str:
    if _URL_GAP.search(value):
        _refuse("url_space", "must not hold spaces or control characters")
    try:
        scheme, authority = urlsplit(value)[:2]
        url = URL(value)
        host = url.raw_host if url.host else ""  # .host decodes IDNA, which can fail
    except ValueError:
        _refuse("url_invalid", "is not a URL")
    if scheme not in {"http", "https"}:
        _refuse("url_scheme", "must be an absolute URL that starts with http:// or https://")
    if "@" in authority:
        _refuse("url_userinfo", "must not hold a user name or password")
    if not _names_host(host or ""):
        _refuse("url_host", "must name a host")
    if url.port == 0:
        _refuse("url_port", "must not name port 0")
    return value


def _names_host(host: str) -> bool:
    if _HOST_NAME.fullmatch(host):
        return True
    try:
        return IPv6Address(host).scope_id is None  # a zone means something on the sender's machine only
    except AddressValueError:
        return False


def _standard_language(value: str) -> str:
    try:
        tag = langcodes.standardize_tag(value)
        valid = langcodes.tag_is_valid(tag)
    except ValueError:
        valid = False
    if not valid:
        _refuse("language", "must be a BCP 47 language tag, as en or pt-BR")
    return tag


def _standard_date(value: str) -> str:
    if not _DATE_TIME.fullmatch(value):
        _refuse("date", _DATE_MESSAGE)
    parse = datetime if any(mark in value for mark in "Tt ") else date
    try:
        return parse.fromisoformat(value).isoformat()
    except ValueError:
        _refuse("date", _DATE_MESSAGE)


def _refuse_many(value: object) -> object:
    if isinstance(value, dict | list) and len(value) > _MANY:
        _refuse("too_many", f"has far too many members: {len(value)}")
    return value


_Few = BeforeValidator(_refuse_many)
_Content = Annotated[str, AfterValidator(_without_controls), AfterValidator(_filled)]
_Name = Annotated[str, Field(max_length=256), AfterValidator(_without_controls), AfterValidator(_filled)]
_Title = Annotated[str, Field(max_length=1024), AfterValidator(_without_controls), AfterValidator(_filled)]
_Url = Annotated[str, Field(max_length=MAX_URL_CHARS), AfterValidator(_fetchable)]
_Language = Annotated[str, Field(max_length=64), AfterValidator(_standard_language)]
_Date = Annotated[str, Field(max_length=40), AfterValidator(_standard_date)]
_LabelName = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_without_controls)]
_LabelValue = Annotated[str, Field(max_length=256), AfterValidator(_without_controls)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedMetadata:
    """What the caller knows of the document: it wins over what is extracted."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    title: _Title | None = None
    authors: Annotated[tuple[_Name, ...], Field(max_length=MAX_AUTHORS), _Few] = ()
    published: _Date | None = None
    language: _Language | None = None
    site_name: _Name | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the document is to be handled. Without a lane the route chooses it."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    lane: Lane | None = None


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
    options: Annotated[Options, _Few] = Options()

    def __post_init__(self) -> None:
        if self.text is not None and self.html is not None:
            _refuse("exactly_one", "must hold text or html, not both")
        if self.url is None and self.content is None:
            _refuse("exactly_one", "must hold one of url, text and html")

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


def parse_submission(body: bytes) -> Submission:
    """Returns the submission in `body`, UTF-8 JSON.

    Raises:
        MalformedSubmissionError: not UTF-8 or not JSON.
        InvalidSubmissionError: breaks a rule of this module, or holds a field that it does not know.
    """
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise MalformedSubmissionError([Fault("body", "invalid_utf8", f"is not UTF-8 at byte {error.start}")]) from None
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedSubmissionError([Fault("body", "invalid_json", f"is not JSON: {error}")]) from None
    return check_submission(fields)


def check_submission(fields: object) -> Submission:
    """Returns the submission that `fields`, decoded JSON or a like mapping, stands for.

    Raises:
        InvalidSubmissionError: as for `parse_submission`.
    """
    try:
        submission: Submission = adapter(Annotated[Submission, _Few]).validate_python(fields)
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False)[:_MAX_FAULTS]
        raise InvalidSubmissionError([_fault(detail) for detail in details]) from None
    return submission


def to_job(submission: Submission, *, id: str, lane: Lane, accepted_at: datetime) -> Job:  # noqa: A002 - the job's own word
    """Returns the job of `submission`, first attempt of the first run.

    Args:
        submission: what came in.
        id: the document's id.
        lane: the queue it waits in; the caller has looked at `submission.options` for it.
        accepted_at: an aware time.
    """
    told = submission.metadata
    return Job(
        id=id,
        kind=submission.kind,
        lane=lane,
        accepted_at=accepted_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        url=submission.url,
        content=submission.content,
        metadata=CallerMetadata(
            title=told.title,
            authors=told.authors,
            published=told.published,
            language=told.language,
            site_name=told.site_name,
        ),
        labels=submission.labels,
    )


_MESSAGES = {
    "dataclass_type": ("wrong_type", "must be an object"),
    "dict_type": ("wrong_type", "must be an object"),
    "enum": ("not_allowed", "must be {expected}"),
    "mapping_type": ("wrong_type", "must be an object"),
    "string_too_long": ("too_long", "must have at most {max_length} characters"),
    "string_too_short": ("empty", "must not be empty"),
    "string_type": ("wrong_type", "must be a string"),
    "too_long": ("too_many", "must have at most {max_length} entries"),
    "tuple_type": ("wrong_type", "must be an array"),
    "unexpected_keyword_argument": ("unknown_field", "is not a field that version 1 knows"),
}


def _fault(detail: ErrorDetails) -> Fault:
    path = [str(step)[:_MAX_NAME_CHARS] for step in detail["loc"] if step != "[key]"]
    place = ".".join(path) or "body"
    if detail["type"] not in _MESSAGES:
        return Fault(place, detail["type"], detail["msg"])
    rule, message = _MESSAGES[detail["type"]]
    return Fault(place, rule, message.format_map(detail.get("ctx", {})))
