"""Answers that stand in front of a page instead of it: challenges, consent, log-ins, and errors that say 200. Pure.

Causes, not sites: what a product that guards many sites always sends, and what pages call themselves.
"""

import re
from collections.abc import Mapping
from typing import Final

from yarl import URL

from contract.reasons import Reason
from workers.failures import Failed

GUARDED_STATUSES: Final = frozenset({401, 403, 405, 406, 429, 503})
"""Statuses that challenges come with, beside 200."""

SHOWN_BYTES: Final = 32 * 1024
"""Challenges are shorter than this."""

_HEADERS = (
    ("cf-mitigated", {"challenge"}),
    ("x-amzn-waf-action", {"challenge", "captcha"}),
    ("x-vercel-mitigated", {"challenge"}),
)
_SCRIPTS = (  # of challenge pages alone, not of the pages behind them
    b"window._cf_chl_opt",
    b"_Incapsula_Resource",
    b"geo.captcha-delivery.com",
    b"px-captcha",
    b"sucuri_cloudproxy_js",
    b"window.gokuProps",
    b"anubis_challenge",
    b"/ips.js?KP_UIDz",
    b"sec-if-cpt-container",
    b"ddos-guard/check",
)
_CHALLENGE_TITLES = frozenset(
    {
        *("just a moment", "one moment, please", "just a second", "please wait", "you are being redirected"),
        *("attention required", "security check", "security checkpoint", "vercel security checkpoint", "robot check"),
        *("ddos-guard", "making sure you're not a bot", "pardon our interruption", "human verification"),
        *("bot verification", "client challenge", "access to this page has been denied", "are you a robot"),
        *("are you human", "verify you are human", "verifying you are human", "checking your browser", "captcha"),
        *("百度安全验证", "安全验证"),
    }
)
_NOT_FOUND_TITLES = frozenset(
    {
        *("404", "404 error", "error 404", "404 not found", "404 page not found", "not found", "page not found"),
        *("http 404", "http 404 not found", "page cannot be found", "page can't be found", "page does not exist"),
        *("page doesn't exist", "page no longer exists", "this page isn't available", "content not found"),
        *("article not found", "file not found", "oops! page not found", "404 - page not found"),
        *("seite nicht gefunden", "fehler 404", "404 seite nicht gefunden", "page introuvable", "page non trouvée"),
        *("erreur 404", "página no encontrada", "pagina no encontrada", "error 404 página no encontrada"),
        *("página não encontrada", "pagina non trovata", "errore 404", "pagina niet gevonden", "fout 404"),
        *("sidan hittades inte", "sidan kunde inte hittas", "siden blev ikke fundet", "siden ble ikke funnet"),
        *("sivua ei löytynyt", "nie znaleziono strony", "strona nie została znaleziona", "stránka nenalezena"),
        *("stránka sa nenašla", "az oldal nem található", "pagina nu a fost găsită", "sayfa bulunamadı"),
        *("страница не найдена", "ошибка 404", "сторінку не знайдено", "страницата не е намерена"),
        *("η σελίδα δεν βρέθηκε", "الصفحة غير موجودة", "הדף לא נמצא", "صفحه یافت نشد", "halaman tidak ditemukan"),
        *("không tìm thấy trang", "ไม่พบหน้า", "ページが見つかりません", "お探しのページは見つかりません"),
        *("页面不存在", "页面未找到", "找不到页面", "找不到頁面", "페이지를 찾을 수 없습니다"),
    }
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
_PROSE = re.compile(rb">([^<>]{80,})")
_PROSE_BYTES = 1500  # an article about error pages has more than this, an error page with a few kind words has not
_LOOKED_AT_BYTES = 256 * 1024
_SLUG_CHARS = 15


def refuse_challenge(headers: Mapping[str, str]) -> None:
    """Passes an answer that does not call itself a bot challenge.

    Raises:
        Failed: BOT_CHALLENGE.
    """
    for name, values in _HEADERS:
        if headers.get(name, "").lower() in values:
            raise Failed(Reason.BOT_CHALLENGE, f"header {name}")


def refuse_challenge_page(body: bytes) -> None:
    """Passes a body that holds no bot challenge; beyond `SHOWN_BYTES` none does.

    Raises:
        Failed: BOT_CHALLENGE.
    """
    if len(body) <= SHOWN_BYTES and any(script in body for script in _SCRIPTS):
        raise Failed(Reason.BOT_CHALLENGE, "the page of a bot challenge")


def refuse_detour(asked: URL, came: URL) -> None:
    """Passes a page at `came`, to which redirects led from `asked`, unless it is another page than the one asked for.

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
    """Passes a page of prose, and one whose title is not that of a challenge or an error.

    Raises:
        Failed: BOT_CHALLENGE, SOFT_404.
    """
    parts = {part.strip(_MARKS).casefold() for part in (title, *_PARTS.split(title))}
    is_challenge = not parts.isdisjoint(_CHALLENGE_TITLES) and len(body) <= _LOOKED_AT_BYTES
    is_missing = not parts.isdisjoint(_NOT_FOUND_TITLES)
    if not (is_challenge or is_missing) or _prose_bytes(body[:_LOOKED_AT_BYTES]) > _PROSE_BYTES:
        return
    reason = Reason.SOFT_404 if is_missing else Reason.BOT_CHALLENGE
    raise Failed(reason, "by the page's title")


def _leads(path: re.Pattern[str], asked: URL, came: URL) -> bool:
    return path.fullmatch(came.path) is not None and path.fullmatch(asked.path) is None


def _is_sent_home(asked: URL, came: URL) -> bool:
    """Tells whether a deep address led to the front page of the same site."""
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
