"""Titles, in lower case, of pages that appear instead of the requested page."""

import re
from collections.abc import Mapping
from typing import Final

from contract.reasons import Reason

CHALLENGE: Final = frozenset(
    {
        *("just a moment", "one moment, please", "just a second", "please wait", "you are being redirected"),
        *("attention required", "security check", "security checkpoint", "vercel security checkpoint", "robot check"),
        *("ddos-guard", "making sure you're not a bot", "pardon our interruption", "human verification"),
        *("bot verification", "client challenge", "access to this page has been denied", "are you a robot"),
        *("are you human", "verify you are human", "verifying you are human", "checking your browser", "captcha"),
        *("bot detection", "checking you are not a bot", "browser check", "security verification", "ddos protection"),
        *("nur einen moment", "sicherheitsprüfung", "un instant", "vérification de sécurité", "un momento"),
        *("ci siamo quasi", "um momento", "een ogenblik geduld", "even geduld", "jeszcze chwila", "chwileczkę"),
        *(
            "один момент",
            "подождите",
            "вы не робот",
            "проверка браузера",
            "bir dakika lütfen",
            "しばらくお待ちください",
        ),
        *("请稍候", "請稍候", "잠시만 기다리십시오", "百度安全验证", "安全验证", "安全检查"),
    }
)
MISSING: Final = frozenset(
    {
        *("404", "404 error", "error 404", "http 404", "http error 404", "404 not found", "http 404 not found"),
        *("not found", "404 page not found", "404 - page not found", "nothing found", "nothing was found"),
        *("seite nicht gefunden", "fehler 404", "404 seite nicht gefunden", "page introuvable", "page non trouvée"),
        *("diese seite konnte nicht gefunden werden", "diese seite wurde nicht gefunden", "artikel nicht gefunden"),
        *("die seite wurde nicht gefunden", "diese seite existiert nicht", "erreur 404", "article introuvable"),
        *("cette page n'existe pas", "cette page est introuvable", "la page est introuvable", "página no encontrada"),
        *("pagina no encontrada", "error 404 página no encontrada", "la página no existe", "página não encontrada"),
        *("pagina non trovata", "errore 404", "pagina niet gevonden", "fout 404", "deze pagina bestaat niet"),
        *("sidan hittades inte", "sidan kunde inte hittas", "siden blev ikke fundet", "siden ble ikke funnet"),
        *("siden finnes ikke", "siden findes ikke", "sivua ei löytynyt", "nie znaleziono strony"),
        *("strona nie została znaleziona", "strona nie istnieje", "stránka nenalezena", "stránka nebyla nalezena"),
        *("stránka sa nenašla", "az oldal nem található", "pagina nu a fost găsită", "sayfa bulunamadı"),
        *(
            "stranica nije pronađena",
            "stran ni bila najdena",
            "lehte ei leitud",
            "puslapis nerastas",
            "lapa nav atrasta",
        ),
        *("страница не найдена", "ошибка 404", "такой страницы нет", "сторінку не знайдено", "помилка 404"),
        *("страницата не е намерена", "η σελίδα δεν βρέθηκε", "الصفحة غير موجودة", "الصفحة غير متوفرة"),
        *("הדף לא נמצא", "صفحه یافت نشد", "halaman tidak ditemukan", "không tìm thấy trang", "ไม่พบหน้า"),
        *("ページが見つかりません", "ページが見つかりませんでした", "お探しのページは見つかりません"),
        *(
            "お探しのページは見つかりませんでした",
            "页面不存在",
            "页面未找到",
            "页面找不到了",
            "找不到页面",
            "找不到頁面",
        ),
        *("頁面不存在", "페이지를 찾을 수 없습니다", "पृष्ठ नहीं मिला"),
    }
)
_THING = r"(?:web ?)?(?:page|article|story|post|content|document|file|url)"
_SUBJECT = rf"(?:(?:the|this|that|your) )?(?:requested )?{_THING}(?: (?:that )?you [a-z' ]{{3,40}}?)?"
_PREDICATE = (
    r"(?:(?:was |is |could |can )?not (?:be )?found|(?:cannot|can't|couldn't|wasn't) (?:be )?found"
    r"|(?:is not|isn't|is no longer|no longer|not) available|(?:does not|doesn't|no longer) exists?"
    r"|(?:has been|was) (?:removed|deleted))"
)
_FINDING = (
    rf"we (?:can't|can ?not|couldn't|could not|are unable to) find (?:the|that|this|your) {_THING}[a-z' ]{{0,40}}"
)
IN_ENGLISH: Final = re.compile(
    rf"(?:(?:sorry|oops|ops|whoops|uh[ -]oh|error)[,!:. -]+)?(?:{_SUBJECT} {_PREDICATE}|{_FINDING})"
)
"""Whole titles that say that a page is missing."""
DENIED: Final = frozenset(
    {
        *("access denied", "access forbidden", "forbidden", "403", "error 403", "403 error", "403 forbidden"),
        *("request rejected", "request blocked", "you have been blocked", "sorry, you have been blocked"),
        *("zugriff verweigert", "accès refusé", "accès interdit", "acceso denegado", "accesso negato"),
        *("acesso negado", "toegang geweigerd", "odmowa dostępu", "доступ запрещен", "доступ запрещён"),
    }
)
DOWN: Final = frozenset(
    {
        *("500 internal server error", "internal server error", "502 bad gateway", "bad gateway", "error 500"),
        *("503 service unavailable", "service unavailable", "503 service temporarily unavailable"),
        *("service temporarily unavailable", "504 gateway time-out", "504 gateway timeout", "gateway timeout"),
        *("database error", "error establishing a database connection", "site under maintenance"),
        *("website under maintenance", "under maintenance", "down for maintenance", "site maintenance"),
        *("scheduled maintenance", "we'll be back soon", "we will be back soon", "wartungsarbeiten"),
    }
)
BY_TITLE: Final[Mapping[str, Reason]] = {
    **dict.fromkeys(CHALLENGE, Reason.BOT_CHALLENGE),
    **dict.fromkeys(DENIED, Reason.FORBIDDEN),
    **dict.fromkeys(DOWN, Reason.SERVER_ERROR),
    **dict.fromkeys(MISSING, Reason.SOFT_404),
}
