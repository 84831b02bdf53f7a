import pytest
from yarl import URL

from contract.reasons import Reason
from tests.workers.fetch.sites import answering, failure, fetched, redirecting, site
from tests.workers.walls.walled import ARTICLES, CHALLENGES, MISSING, OTHERS
from workers.failures import Failed
from workers.fetch.page_head import title_of
from workers.walls import answer

PROSE = "<p>" + "A page is gone when nobody keeps it, and what a reader sees then says much about its house. " * 30


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (403, {"cf-mitigated": "challenge"}, ""),
        (202, {"x-amzn-waf-action": "challenge"}, ""),
        (405, {"x-amzn-waf-action": "captcha"}, ""),
        (429, {"x-vercel-mitigated": "challenge"}, ""),
        (503, {}, "<title>Just a moment...</title><script>window._cf_chl_opt={cvId:'3'}</script>"),
        (403, {}, "<script>var dd={'host':'geo.captcha-delivery.com'}</script>"),
        (403, {}, "<div id='px-captcha'></div>"),
        (200, {}, "<script src='/_Incapsula_Resource?SWJIYLWA=1'></script>"),
        (200, {}, "<title>Just a moment...</title>"),
        (200, {}, "<title>Attention Required! | Cloudflare</title>"),
        (200, {}, "<title>Making sure you&#39;re not a bot!</title>"),
        (200, {}, "<html><head><title lang=en>\n Pardon Our Interruption </title>"),
    ],
)
async def test_bot_challenges_are_named(status: int, headers: dict[str, str], body: str) -> None:
    async with site(answering(body, status, **headers)) as at:
        assert (await failure(at.url())).reason is Reason.BOT_CHALLENGE


@pytest.mark.parametrize(
    "title",
    [
        "404",
        "404 Not Found",
        "Page not found | The Daily",
        "The Daily – Page not found",
        "Error 404: Page not found",
        "Seite nicht gefunden · Zeitung",
        "Page introuvable - Le Journal",
        "Страница не найдена — Газета",
        "ページが見つかりません｜新聞".replace("｜", "|"),
        "页面不存在",
    ],
)
async def test_error_pages_that_say_200_are_named(title: str) -> None:
    async with site(answering(f"<html><head><title>{title}</title></head><p>Try the search.")) as at:
        assert (await failure(at.url())).reason is Reason.SOFT_404


@pytest.mark.parametrize(
    "title", ["404 Not Found", "Why a page is not found", "Just a moment: how minutes began", "Page not found | Essays"]
)
async def test_articles_about_errors_are_articles(title: str) -> None:
    async with site(answering(f"<title>{title}</title><script>{'x' * 5000}</script>{PROSE}")) as at:
        assert (await fetched(at.url())).fetched.status == 200


@pytest.mark.parametrize("name", CHALLENGES)
async def test_challenges_of_many_kinds_are_named(name: str) -> None:
    status, headers, page = CHALLENGES[name]
    async with site(answering(page, status, **headers)) as at:
        assert (await failure(at.url())).reason is Reason.BOT_CHALLENGE


@pytest.mark.parametrize("name", MISSING)
async def test_soft_404s_of_many_kinds_are_recognised(name: str) -> None:
    async with site(answering(MISSING[name])) as at:
        assert (await failure(at.url())).reason is Reason.SOFT_404


@pytest.mark.parametrize("name", OTHERS)
async def test_refusals_and_errors_that_say_200_are_named(name: str) -> None:
    page, reason = OTHERS[name]
    async with site(answering(page)) as at:
        assert (await failure(at.url())).reason is reason


@pytest.mark.parametrize("name", ARTICLES)
async def test_articles_that_resemble_walls_are_accepted(name: str) -> None:
    async with site(answering(ARTICLES[name])) as at:
        assert (await fetched(at.url())).fetched.status == 200


async def test_words_of_a_script_are_no_prose() -> None:
    page = f"<title>404 Not Found</title><script>{'words ' * 5000}</script><style>{'words ' * 5000}"
    async with site(answering(page)) as at:
        assert (await failure(at.url())).reason is Reason.SOFT_404


@pytest.mark.parametrize(
    ("asked", "came", "reason"),
    [
        ("http://a.example/news/story", "https://consent.a.example/?to=x", Reason.CONSENT_WALL),
        ("http://a.example/news/story", "https://guce.a.example/consent", Reason.CONSENT_WALL),
        ("http://a.example/news/story", "http://a.example/cookiewall", Reason.CONSENT_WALL),
        ("http://a.example/news/story", "http://a.example/account/login?next=x", Reason.LOGIN_REQUIRED),
        ("http://a.example/news/story", "http://id.example/oauth2/authorize", Reason.LOGIN_REQUIRED),
        ("http://a.example/news/story", "http://a.example/404.html", Reason.SOFT_404),
        ("http://a.example/news/story", "http://a.example/page-not-found", Reason.SOFT_404),
        ("http://a.example/news/council-renews-bridge", "https://www.a.example/", Reason.SOFT_404),
    ],
)
def test_detours_are_named(asked: str, came: str, reason: Reason) -> None:
    with pytest.raises(Failed) as failed:
        answer.refuse_detour(URL(asked), URL(came))
    assert failed.value.reason is reason


@pytest.mark.parametrize(
    ("asked", "came"),
    [
        ("http://a.example/news/story", "https://www.a.example/news/story"),
        ("http://short.example/council-renews-bridge", "http://a.example/"),
        ("http://a.example/en", "http://a.example/"),
        ("http://a.example/index.html", "http://a.example/"),
        ("http://a.example/login", "https://a.example/login"),
        ("http://a.example/?p=1", "http://a.example/topics/consent"),
        ("http://a.example/?p=1", "http://a.example/blog/404-reasons-to-read"),
    ],
)
def test_other_redirects_are_accepted(asked: str, came: str) -> None:
    answer.refuse_detour(URL(asked), URL(came))


async def test_a_redirect_to_a_login_page_is_named() -> None:
    async with site(answering("<title>Welcome</title>")) as end, site(redirecting(end.url("/login"))) as at:
        assert (await failure(at.url())).reason is Reason.LOGIN_REQUIRED


async def test_a_broken_body_does_not_hide_a_status() -> None:
    async with site(answering(b"no gzip", 403, Content_Encoding="gzip")) as at:
        assert (await failure(at.url())).reason is Reason.FORBIDDEN


@pytest.mark.parametrize(
    ("body", "charset", "title"),
    [
        (b"<TITLE>A\n  b</TITLE>", None, "A b"),
        ("<title>Страница</title>".encode("cp1251"), "windows-1251", "Страница"),
        ("<title>Ä &amp; ö</title>".encode(), "latin-1", "Ä & ö"),
        (b"<title>never ends", None, ""),
        (b"no title", None, ""),
        (b"<p>" * 10_000 + b"<title>late</title>", None, ""),
    ],
)
def test_titles_are_read(body: bytes, charset: str | None, title: str) -> None:
    assert title_of(body, charset) == title
