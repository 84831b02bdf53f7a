"""Recognises HTTP answers that replace the page: challenges, consent, log-ins, and errors with status 200. Pure.

The rules name no sites: they know what products for bot protection always send, and the titles of error pages.
"""

import html
import re
from collections.abc import Mapping
from typing import Final

from yarl import URL

from contract.reasons import Reason
from workers.failures import Failed
from workers.walls import titles as words

GUARDED_STATUSES: Final = frozenset({401, 403, 405, 406, 429, 503})
"""Statuses that challenges have, besides 200."""

SHOWN_BYTES: Final = 32 * 1024
"""Challenges are shorter than this. The longest in tests/workers/walls/walled.py, modelled on products, has a tenth of
it, and they load the rest from other URLs."""

_HEADERS = (
    ("cf-mitigated", {"challenge"}),
    ("x-amzn-waf-action", {"challenge", "captcha"}),
    ("x-vercel-mitigated", {"challenge"}),
)
_SCRIPTS = (  # only in challenge pages, not in the pages behind them
    b"window._cf_chl_opt",
    b"sucuri_cloudproxy_js",
    b"window.gokuProps",
    b"anubis_challenge",
    b"/ips.js?KP_UIDz",
    b"sec-if-cpt-container",
)
_TAGS = (  # in challenge pages, and sometimes in the pages behind them
    b"_Incapsula_Resource",
    b"geo.captcha-delivery.com",
    b"px-captcha",
    b"ddos-guard/check",
)
_NOT_FOUND_PATH = re.compile(r"(.*/)?(?:404|error[-_]?404|(?:page[-_]?)?not[-_]?found)(?:\.\w{2,5})?/?", re.IGNORECASE)
_LOGIN_PATH = re.compile(
    r"(.*/)?(?:log[-_]?in|sign[-_]?in|servicelogin|oauth2?/authorize|sso|anmelden|connexion)(?:\.\w{2,5})?/?",
    re.IGNORECASE,
)
_CONSENT_HOST = re.compile(r"(?:consent|guce|cookiewall|privacy-?gate|myprivacy)\..+")
_CONSENT_PATH = re.compile(
    r"(.*/)?(?:collect-?consent|cookie-?wall|cookie-?consent|privacy-?gate|consent-?wall)/?", re.IGNORECASE
)
_PARTS = re.compile(r"\s+[|–—·:/-]\s+|\s*[|»«·]\s*|:\s+")
_MARKS = " .…!?¡¿"
_SEPARATE_WORDS = re.compile(r"[-_]")
# Sizes chosen by hand; bench/fetch_walls.py counts the pages that they refuse.
_PROSE = re.compile(rb">([^<>]{80,})")
_PROSE_BYTES = 1500  # bytes of prose of an error page, at most; an article about error pages has more
_CHALLENGE_PROSE_BYTES = 300  # bytes of prose that a challenge has at most
_LOOKED_AT_BYTES = 256 * 1024  # bytes searched for prose: about the mean of news pages
_HEADING = re.compile(rb"<h1[^>]*>(.{0,500}?)</h1", re.IGNORECASE | re.DOTALL)
_HEADING_WITHIN_BYTES = 48 * 1024  # of larger pages only the title counts
_TAG = re.compile(r"<[^<>]*>")
_SLUG_CHARS = 15  # characters of a headline in a URL, at least; names of sections are shorter


def refuse_challenge(headers: Mapping[str, str]) -> None:
    """Refuses an answer whose headers say that it is a bot challenge.

    Raises:
        Failed: BOT_CHALLENGE.
    """
    for name, values in _HEADERS:
        if headers.get(name, "").lower() in values:
            raise Failed(Reason.BOT_CHALLENGE, f"header {name}")


def refuse_challenge_page(body: bytes) -> None:
    """Refuses a body that contains a bot challenge. Only bodies up to `SHOWN_BYTES` can.

    Raises:
        Failed: BOT_CHALLENGE.
    """
    if len(body) > SHOWN_BYTES:
        return
    is_tagged = any(tag in body for tag in _TAGS) and _prose_bytes(body) <= _CHALLENGE_PROSE_BYTES
    if is_tagged or any(script in body for script in _SCRIPTS):
        raise Failed(Reason.BOT_CHALLENGE, "the page of a bot challenge")


def refuse_detour(asked: URL, came: URL) -> None:
    """Refuses a page at `came`, to which redirects led from `asked`, if it is not the requested page.

    Raises:
        Failed: CONSENT_WALL, LOGIN_REQUIRED, SOFT_404.
    """
    if _CONSENT_HOST.fullmatch(came.raw_host or "") or _leads(_CONSENT_PATH, asked, came):
        raise Failed(Reason.CONSENT_WALL, "redirected to a consent page")
    if _leads(_LOGIN_PATH, asked, came):
        raise Failed(Reason.LOGIN_REQUIRED, "redirected to a log-in page")
    if _leads(_NOT_FOUND_PATH, asked, came) or _is_sent_home(asked, came):
        raise Failed(Reason.SOFT_404, "redirected to an error or front page")


def refuse_title(title: str, body: bytes) -> None:
    """Refuses a page without prose whose title, or heading if the page is small, is that of a wall or an error.

    Raises:
        Failed: BOT_CHALLENGE, FORBIDDEN, SERVER_ERROR, SOFT_404.
    """
    reason, found_in = _reason_of(title), "title"
    if reason is None and len(body) <= _HEADING_WITHIN_BYTES and _reason_of(_heading(body)) is Reason.SOFT_404:
        reason, found_in = Reason.SOFT_404, "heading"
    if reason is None or _prose_bytes(body[:_LOOKED_AT_BYTES]) > _PROSE_BYTES:
        return
    raise Failed(reason, f"by the page's {found_in}")


def refuse_challenge_title(title: str) -> None:
    """Refuses an answer with one of `GUARDED_STATUSES` whose title is that of a bot challenge.

    Raises:
        Failed: BOT_CHALLENGE.
    """
    if _reason_of(title) is Reason.BOT_CHALLENGE:
        raise Failed(Reason.BOT_CHALLENGE, "by the page's title")


def _reason_of(title: str) -> Reason | None:
    """Returns the reason that a title, or a part of it, indicates by itself."""
    folded = title.casefold().replace("’", "'")
    parts = {part.strip(_MARKS) for part in (folded, *_PARTS.split(folded))}
    named = [words.BY_TITLE[part] for part in parts if part in words.BY_TITLE]
    if named:
        return named[0]
    return Reason.SOFT_404 if any(map(words.IN_ENGLISH.fullmatch, parts)) else None


def _heading(body: bytes) -> str:
    found = _HEADING.search(body)
    text = found[1].decode("utf-8", "replace") if found else ""
    return " ".join(html.unescape(_TAG.sub(" ", text)).split())


def _leads(path: re.Pattern[str], asked: URL, came: URL) -> bool:
    return path.fullmatch(came.path) is not None and path.fullmatch(asked.path) is None


def _is_sent_home(asked: URL, came: URL) -> bool:
    """Returns True if a deep URL led to the front page of the same site."""
    if came.path != "/" or came.raw_query_string or _bare(asked) != _bare(came):
        return False
    last = asked.path.rstrip("/").rpartition("/")[2]
    return len(last) >= _SLUG_CHARS and _SEPARATE_WORDS.search(last) is not None


def _bare(url: URL) -> str:
    return (url.raw_host or "").removeprefix("www.")


def _prose_bytes(body: bytes) -> int:
    for tag in (b"script", b"style"):
        body = _without(body, tag)
    return sum(len(run) for run in _PROSE.findall(body))


def _without(body: bytes, tag: bytes) -> bytes:
    lower = body.lower()
    kept, at = [], 0
    while (begin := lower.find(b"<" + tag, at)) >= 0:
        kept.append(body[at:begin])
        at = lower.find(b"</" + tag, begin)
        if at < 0:
            return b"".join(kept)
    return b"".join([*kept, body[at:]])
