"""Walls and error pages, modelled on those of products and templates.

Each has a status, headers besides the media type, markup, and the expected reason.
"""

from contract.reasons import Reason

FORBIDDEN, DOWN = Reason.FORBIDDEN, Reason.SERVER_ERROR

_MENU = (
    "<nav><ul>"
    + "".join(f'<li><a href="/{word}">{word}</a></li>' for word in ("News", "Sport", "Culture"))
    + "</ul></nav>"
)
_FOOT = "<footer><p>© 2026 The Daily Example. All rights reserved.</p></footer>"


def _page(title: str, body: str, head: str = "", lang: str = "en") -> str:
    inner = f'<head><meta charset="utf-8"><title>{title}</title>{head}</head><body>{body}</body>'
    return f'<!DOCTYPE html><html lang="{lang}">{inner}</html>'


def _template(title: str, heading: str, words: str, lang: str = "en") -> str:
    return _page(title, f"{_MENU}<main><h1>{heading}</h1><p>{words}</p></main>{_FOOT}", lang=lang)


CHALLENGES = {
    "Cloudflare, managed": (
        403,
        {"cf-mitigated": "challenge", "Server": "cloudflare"},
        _page("Just a moment...", "<noscript>Enable JavaScript and cookies to continue</noscript>"),
    ),
    "Cloudflare, by its script": (
        200,
        {},
        _page("example.com", "<script>(function(){window._cf_chl_opt={cvId:'3',cZone:'example.com'};}());</script>"),
    ),
    "Cloudflare, block": (
        200,
        {},
        _page(
            "Attention Required! | Cloudflare",
            "<h1>Sorry, you have been blocked</h1><h2>You are unable to access example.com</h2><p>This website uses "
            "a security service to protect itself from online attacks. The action you just performed triggered it.</p>",
        ),
    ),
    "Cloudflare, in German": (503, {}, _page("Nur einen Moment…", "<p>Ihr Browser wird überprüft.</p>", lang="de")),
    "Cloudflare, in French": (200, {}, _page("Un instant…", "<p>Vérification de la sécurité</p>", lang="fr")),
    "Imperva, script": (
        200,
        {},
        (
            '<html><head><META NAME="robots" CONTENT="noindex,nofollow">'
            '<script src="/_Incapsula_Resource?SWJIYLWA=5074a7"></script></head><body></body></html>'
        ),
    ),
    "Imperva, incident": (
        200,
        {},
        (
            '<html style="height:100%"><body><iframe id="main-iframe" src="/_Incapsula_Resource?CWUDNSAI=9&xinfo=1" '
            "width=100%>Request unsuccessful. Incapsula incident ID: 1234-5678</iframe></body></html>"
        ),
    ),
    "DataDome": (
        403,
        {},
        (
            "<html><body><p id=cmsg>Please enable JS and disable any ad blocker</p><script>var dd={'rt':'c',"
            "'host':'geo.captcha-delivery.com'}</script></body></html>"
        ),
    ),
    "PerimeterX": (
        403,
        {},
        _page(
            "Access to this page has been denied.",
            '<div id="px-captcha"></div><p>Press &amp; Hold to confirm you are a human.</p>',
        ),
    ),
    "PerimeterX, under the site's title": (200, {}, _page("The Daily Example", '<div id="px-captcha"></div>')),
    "AWS WAF": (202, {"x-amzn-waf-action": "challenge"}, ""),
    "AWS WAF, by its script": (200, {}, _page("", "<script>window.gokuProps = {'key':'x'};</script>")),
    "Akamai, interstitial": (200, {}, _page("", '<div id="sec-if-cpt-container"></div>')),
    "Sucuri": (
        200,
        {},
        _page(
            "You are being redirected...",
            "<noscript>Javascript is required.</noscript><script>sucuri_cloudproxy_js='';</script>",
        ),
    ),
    "Vercel": (429, {"x-vercel-mitigated": "challenge"}, _page("Vercel Security Checkpoint", "")),
    "Vercel, by its title": (200, {}, _page("Vercel Security Checkpoint", "<p>We're verifying your browser</p>")),
    "DDoS-Guard": (403, {}, _page("DDoS-Guard", "<h1>Checking your browser before accessing example.com</h1>")),
    "DDoS-Guard, by its script": (
        200,
        {},
        _page("example.com", '<script src="/.well-known/ddos-guard/check?context=free_splash"></script>'),
    ),
    "Anubis": (
        200,
        {},
        _page("Making sure you&#39;re not a bot!", '<script id="anubis_challenge" type="application/json">{}</script>'),
    ),
    "Kasada": (
        429,
        {},
        '<html><head></head><body><script src="/149e9513/2d206a39/ips.js?KP_UIDz=x"></script></body></html>',
    ),
    "Distil": (
        200,
        {},
        _page(
            "Pardon Our Interruption",
            "<h1>Pardon Our Interruption...</h1><p>Something about your browser made us think you were a bot.</p>",
        ),
    ),
    "Fastly": (200, {}, _page("Client Challenge", "<p>JavaScript is disabled in your browser.</p>")),
    "Amazon": (200, {}, _page("Robot Check", "<h4>Enter the characters you see below</h4>")),
    "Baidu": (200, {}, _page("百度安全验证", "<p>网络不给力，请稍后重试</p>", lang="zh")),
    "Yandex SmartCaptcha": (
        200,
        {},
        _page("Вы не робот?", "<p>Подтвердите, что запросы отправляли вы, а не робот</p>", lang="ru"),
    ),
    "BunkerWeb": (200, {}, _page("Bot Detection", "<h1>Please wait while we check if you are a Human</h1>")),
    "go-away": (200, {}, _page("Checking you are not a bot", "<p>Reload if this takes long.</p>")),
    "a plugin's captcha": (200, {}, _page("Human Verification", '<form><div class="h-captcha"></div></form>')),
}
MISSING = {
    "WordPress": _template(
        "Page not found – The Daily Example",
        "Oops! That page can’t be found.",
        "It looks like nothing was found at this location.",
    ),
    "WordPress, in German": _template(
        "Seite nicht gefunden – Der Tag",
        "Diese Seite konnte nicht gefunden werden.",
        "Vielleicht hilft eine Suche.",
        "de",
    ),
    "Next.js": _template("404: This page could not be found.", "404", "This page could not be found."),
    "Shopify": _template("404 Not Found &ndash; Example Shop", "404", "The page you requested does not exist."),
    "GitHub Pages": _template("Page not found &middot; GitHub Pages", "404", "File not found"),
    "the site's title, the heading tells": _template(
        "The Daily Example", "Page not found", "Try the search, or go to the front page."
    ),
    "the same, in French": _template(
        "Le Journal", "Page introuvable", "La page que vous cherchez n’existe plus.", "fr"
    ),
    "the same, in Polish": _template("Gazeta", "Nie znaleziono strony", "Przejdź na stronę główną.", "pl"),
    "heading with a number": _template("The Daily Example", "<span>404</span>", "We have looked everywhere."),
    "sorry": _template("Sorry, page not found | Example", "Sorry, page not found", "It may have moved."),
    "we": _template("We can't find that page | Example", "We can't find that page", "It may have moved."),
    "no longer available": _template(
        "This page is no longer available | Example", "This page is no longer available", "Sorry."
    ),
    "article": _template("Article not found - Example", "Article not found", "The article was removed."),
    "story removed": _template("This article has been removed | Example", "This article has been removed", "Sorry."),
    "Spanish": _template("Página no encontrada | El Diario", "Error 404", "La página no existe.", "es"),
    "Portuguese": _template("Página não encontrada - O Jornal", "Ops!", "A página não existe.", "pt"),
    "Italian": _template("Pagina non trovata - Il Giornale", "Errore 404", "La pagina non esiste.", "it"),
    "Dutch": _template("Pagina niet gevonden | De Krant", "Helaas", "De pagina bestaat niet.", "nl"),
    "Swedish": _template("Sidan hittades inte - Tidningen", "404", "Sidan finns inte.", "sv"),
    "Russian": _template("Страница не найдена — Газета", "Ошибка 404", "Такой страницы нет.", "ru"),
    "Ukrainian": _template("Сторінку не знайдено | Газета", "404", "Такої сторінки немає.", "uk"),
    "Japanese": _template(
        "お探しのページは見つかりませんでした | 新聞", "404", "ページは削除された可能性があります。", "ja"
    ),
    "Chinese": _template("页面不存在 - 新闻", "404", "您访问的页面不存在。", "zh"),
    "Korean": _template("페이지를 찾을 수 없습니다 | 신문", "404", "주소를 확인하세요.", "ko"),
    "Turkish": _template("Sayfa bulunamadı - Gazete", "404", "Aradığınız sayfa yok.", "tr"),
    "Czech": _template("Stránka nebyla nalezena | Noviny", "404", "Stránka neexistuje.", "cs"),
    "Arabic": _template("الصفحة غير موجودة | الجريدة", "404", "عذرا", "ar"),
}
OTHERS = {
    "Akamai, denied": (
        _page(
            "Access Denied",
            "<H1>Access Denied</H1> You don't have permission.<P>Reference #18.2d351ab8.1557333295.a4e16ab",
        ),
        FORBIDDEN,
    ),
    "F5": (
        _page("Request Rejected", "The requested URL was rejected. Please consult with your administrator."),
        FORBIDDEN,
    ),
    "nginx, 403 that says 200": (
        _page("403 Forbidden", "<center><h1>403 Forbidden</h1></center><hr><center>nginx</center>"),
        FORBIDDEN,
    ),
    "nginx, 502 that says 200": (
        _page("502 Bad Gateway", "<center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center>"),
        DOWN,
    ),
    "WordPress, database": (_page("Database Error", "<h1>Error establishing a database connection</h1>"), DOWN),
    "maintenance": (_page("Site under maintenance", "<h1>We will be back soon</h1>"), DOWN),
}
PROSE = "<p>" + "A page is gone when nobody keeps it, and what a reader sees then says much about its house. " * 12
ARTICLES = {
    "about 404": _template("404 Not Found: how an error became a joke", "404 Not Found", "</p>" + PROSE * 3),
    "short, behind Imperva": _page(
        "Ferry moves", f'<h1>Ferry moves</h1>{PROSE[:400]}</p><script src="/_Incapsula_Resource?SWJIYLWA=7"></script>'
    ),
    "short, with a captcha in its comments": _page(
        "Ferry moves", f'<h1>Ferry moves</h1>{PROSE[:400]}</p><div id="px-captcha-modal"></div>'
    ),
    "about access": _template("Access denied: who may enter the harbour", "Access denied", "</p>" + PROSE * 2),
    "about a moment": _template("Just a moment | Poems", "Just a moment", "</p>" + PROSE * 2),
    "short, a name": _template(
        "Robot Check-in opens at the airport", "Robot check-in opens", "Robots welcome guests from Monday on."
    ),
    "a list with a number": _template("404 reasons to read | Books", "404 reasons to read", "The list goes on."),
    "maintenance, a trade": _template("Maintenance | Bicycles", "Maintenance", "Chains, brakes and tyres."),
}
