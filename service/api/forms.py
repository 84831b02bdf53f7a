"""The forms in which a decided document is answered: its event, or its article in one of several media types."""

from typing import Final

import orjson
from aiohttp import hdrs

from contract.events import MEDIA_TYPE as EVENT_TYPE
from contract.events import PROCESSED

ARTICLE_TYPE: Final = "application/vnd.copydesk.article+json"

# In order of preference if the client accepts several equally.
ARTICLE_FORMS: Final = {
    "article": ARTICLE_TYPE,
    "text": "text/plain",
    "markdown": "text/markdown",
    "html": "text/html",
}
EVENT_AND_ARTICLE_FORMS: Final = {"event": EVENT_TYPE, **ARTICLE_FORMS}

_TEXTS: Final = {"text", "markdown", "html"}

# An article's HTML is sanitised, but still foreign. The policy allows it no script, no origin and no request.
_HTML_POLICY: Final = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}
_PLAIN_POLICY: Final = {"X-Content-Type-Options": "nosniff"}


def is_article(event: bytes) -> bool:
    """Tells whether the document became an article."""
    return bool(orjson.loads(event)["type"] == PROCESSED)


def body_of(form: str, event: bytes) -> bytes | None:
    """Returns the event in this form, None if the form does not exist."""
    if form == "event":
        return event
    fields = orjson.loads(event)
    if fields["type"] != PROCESSED:
        return None
    if form == "article":
        return orjson.dumps(fields["data"])
    text = fields["data"].get(form)
    return None if text is None else str(text).encode()


def content_type(form: str, media_type: str) -> str:
    """Returns the value of Content-Type for this form."""
    return f"{media_type}; charset=utf-8" if form in _TEXTS else media_type


def policy(form: str) -> dict[str, str]:
    """Returns the headers that keep a browser from doing more with this form than show it."""
    return {hdrs.CACHE_CONTROL: "private, no-cache", **(_HTML_POLICY if form == "html" else _PLAIN_POLICY)}
