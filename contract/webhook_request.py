"""What a client asks for when it makes or changes a webhook: its shape and its rules."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import orjson
from pydantic import AfterValidator, ConfigDict, Field, ValidationError

from contract import rules
from contract.codec import adapter
from contract.faults import Fault, fault_of
from contract.filters import MAX_FILTER_CHARS, Filter, FilterError
from contract.patterns import MAX_PATTERN_CHARS, MAX_PATTERNS, PatternError, checked_pattern
from contract.webhooks import Documents, Payload, Webhook, is_secret, new_id, new_secret

FORMER_FOR: Final = timedelta(hours=24)  # that a replaced secret still signs; chosen: a day to roll a new one out
MAX_DESCRIPTION_CHARS: Final = 256  # chosen: a sentence
NEW_SECRET: Final = "new"  # noqa: S105 - the word that asks for a secret
_MAX_SECRET_CHARS = 100  # `whsec_` and 64 bytes in base64 are 94
_MAX_FAULTS = 20  # in one answer; chosen: as many as a person corrects in one go


class WebhookError(ValueError):
    """The body is no webhook; `faults` say why."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


def _pattern(value: str) -> str:
    try:
        return checked_pattern(value)
    except PatternError as error:
        rules.refuse(error.rule, str(error))


def _filter(value: str) -> str:
    try:
        return value and Filter.parse(value).text
    except FilterError as error:
        rules.refuse_at(error.position, "filter", str(error))


def _secret(value: str) -> str:
    if value != NEW_SECRET and not is_secret(value):
        rules.refuse("secret", "must be whsec_ and 24 to 64 bytes in base64, or new for one that is made here")
    return value


Pattern = Annotated[str, Field(max_length=MAX_PATTERN_CHARS), AfterValidator(_pattern)]
FilterText = Annotated[str, Field(max_length=MAX_FILTER_CHARS), AfterValidator(_filter)]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """The settings of a webhook. When one is changed, what is absent stays as it is.

    - `url`: where events are posted to.
    - `patterns`: of routing keys, one of which must match; none: all events.
    - `filter`: an expression that events must meet, too; empty for none.
    - `documents`: `own`, or `all`, which needs the scope `admin` and is the default with it.
    - `payload`: `full`, the event as it is in the log; `thin`, without what is to be read.
    - `ordered`: one delivery at a time, in the order of the log; one that fails holds up those behind it.
    - `secret`: `whsec_…`; `new`, and its absence in a new webhook: one is made. The one before signs for 24 h more.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    url: (
        Annotated[
            str, Field(max_length=rules.MAX_URL_CHARS), AfterValidator(rules.fetchable), AfterValidator(rules.short_url)
        ]
        | None
    ) = None
    patterns: Annotated[tuple[Pattern, ...], Field(max_length=MAX_PATTERNS)] | None = None
    filter: FilterText | None = None
    documents: Documents | None = None
    payload: Payload | None = None
    ordered: Annotated[bool, Field(strict=True)] | None = None
    enabled: Annotated[bool, Field(strict=True)] | None = None
    description: (
        Annotated[str, Field(max_length=MAX_DESCRIPTION_CHARS), AfterValidator(rules.without_controls)] | None
    ) = None
    secret: Annotated[str, Field(max_length=_MAX_SECRET_CHARS), AfterValidator(_secret)] | None = None


def parse_request(body: bytes) -> WebhookRequest:
    """Returns the request in `body`, JSON in UTF-8.

    Raises:
        WebhookError: it is none.
    """
    try:
        asked: WebhookRequest = adapter(WebhookRequest).validate_python(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise WebhookError(Fault("body", "invalid_json", f"is not JSON: {error}")) from None
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False)[:_MAX_FAULTS]
        raise WebhookError(*map(fault_of, details)) from None
    return asked


def made(asked: WebhookRequest, *, owner: str, documents: Documents, place: int, at: datetime) -> Webhook:
    """Returns the new webhook that a request asks for. `documents` counts where the request says nothing of them.

    Raises:
        WebhookError: it has no URL.
    """
    if asked.url is None:
        raise WebhookError(Fault("url", "missing", "is missing"))
    fields: dict[str, Any] = {"documents": documents, **_given(asked)}
    secret = new_secret() if asked.secret in {None, NEW_SECRET} else asked.secret
    fields |= {"id": new_id(), "owner": owner, "place": place, "created_at": at, "updated_at": at, "secret": secret}
    return Webhook(**fields)


def changed(before: Webhook, asked: WebhookRequest, at: datetime) -> Webhook:
    """Returns the webhook after a change. It counts as one that has not failed yet; what it missed is forgotten."""
    fields = {name: getattr(before, name) for name in before.__dataclass_fields__} | _given(asked)
    fields |= {"version": before.version + 1, "updated_at": at, "failing_since": None, "missed_at": None}
    if asked.secret is not None:
        secret = new_secret() if asked.secret == NEW_SECRET else asked.secret
        fields |= {"secret": secret, "former": before.secret, "former_until": at + FORMER_FOR}
    if asked.enabled:
        fields |= {"disabled_cause": None, "disabled_at": None, "is_told": True}
    return Webhook(**fields)


def _given(asked: WebhookRequest) -> dict[str, Any]:
    """Returns what is given, without the secret. An empty filter is none."""
    names = [name for name in asked.__dataclass_fields__ if name not in {"secret", "filter"}]
    given = {name: getattr(asked, name) for name in names if getattr(asked, name) is not None}
    return given if asked.filter is None else {**given, "filter": asked.filter or None}
