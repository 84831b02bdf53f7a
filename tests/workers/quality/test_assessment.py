from collections.abc import Sequence

import pytest

from contract.article import Flag, PageKind
from contract.reasons import Reason
from tests.workers.quality.pages import PROSE, article, index, login, page_of
from workers.failures import Failed
from workers.quality.assessment import AssessedPage, page_flags, refuse_other_pages

CONSENT = {
    "en": ("We and our 842 partners store and access cookies on your device, to process personal data.", "Accept all"),
    "de": (
        "Wir und unsere Partner verarbeiten personenbezogene Daten, wenn Sie Ihre Einwilligung geben.",
        "Alle akzeptieren",
    ),
    "fr": ("Avec votre consentement, nos partenaires et nous utilisons des cookies et des traceurs.", "Tout accepter"),
    "es": (
        "Con su consentimiento, nuestros socios y nosotros tratamos datos personales y usamos cookies.",
        "Aceptar y seguir",
    ),
    "it": ("Noi e i nostri partner trattiamo dati personali e cookie con il tuo consenso.", "Accetta tutto"),
    "nl": ("Met uw toestemming verwerken wij en onze partners persoonsgegevens met cookies.", "Alles accepteren"),
    "pl": ("Za Twoją zgodą przetwarzamy dane osobowe i pliki cookie wraz z partnerami.", "Akceptuję"),
    "ja": ("当社は個人情報の取り扱いについて、クッキーの使用に同意をお願いしています。", "同意する"),
}
LOGIN = [
    ("Log in", "Password"),
    ("Sign in to continue", "Password"),
    ("Anmelden", "Passwort"),
    ("Connexion", "Mot de passe"),
    ("Iniciar sesión", "Contraseña"),
    ("Inloggen", "Wachtwoord"),
    ("Zaloguj się", "Hasło"),
    ("Вход", "Пароль"),
    ("ログイン", "パスワード"),
]


def reason(page: AssessedPage, paragraphs: Sequence[str], confidence: float | None = None) -> Reason | None:
    try:
        refuse_other_pages(page, paragraphs, confidence)
    except Failed as failed:
        return failed.reason
    return None


@pytest.mark.parametrize("language", CONSENT)
def test_a_page_that_asks_for_consent_and_no_more_is_refused(language: str) -> None:
    text, button = CONSENT[language]
    page = page_of(f"<div class=cmp><h1>Cookies</h1><p>{text}</p><button>{button}</button></div>")
    assert reason(page, [text]) is Reason.CONSENT_WALL


def test_an_article_under_a_consent_box_is_not_refused() -> None:
    text, button = CONSENT["en"]
    page = article(more=f"<div class=cmp><p>{text}</p><button>{button}</button></div>")
    assert reason(page, PROSE) is None
    assert Flag.CONSENT_WALL not in page_flags(page, PROSE, ())


def test_an_article_with_much_of_the_consent_box_in_it_is_flagged() -> None:
    text, button = CONSENT["en"]
    page = article(more=f"<div class=cmp><p>{text}</p><button>{button}</button></div>")
    assert reason(page, [PROSE[0], text]) is None
    assert Flag.CONSENT_WALL in page_flags(page, [PROSE[0], text], ())


def test_an_article_about_cookies_is_not_refused() -> None:
    words = "Regulators fined the company on Tuesday, because its cookies track readers before they give their consent."
    page = article(words, *PROSE)
    assert reason(page, [words, *PROSE]) is None


def test_a_page_with_one_word_of_consent_and_a_button_is_no_wall() -> None:
    words = "We compare local vendors, so that you need not, and accept no fee from any of them for the place they get."
    assert reason(article(words, more="<button>Accept</button>"), [words]) is None


def test_a_privacy_policy_without_a_button_is_no_wall() -> None:
    text = CONSENT["en"][0]
    assert reason(article(text), [text]) is None


@pytest.mark.parametrize(("title", "label"), LOGIN)
def test_a_login_page_is_refused(title: str, label: str) -> None:
    assert reason(login(title, label), [label]) is Reason.LOGIN_REQUIRED
    assert reason(login(title, label), []) is Reason.LOGIN_REQUIRED


def test_an_article_with_a_login_box_is_not_refused() -> None:
    page = article(more="<form><h2>Log in</h2><input type=password></form>")
    assert reason(page, PROSE) is None


def test_an_article_about_passwords_is_not_refused() -> None:
    page = page_of(f"<h1>How to log in safely</h1><p>{PROSE[0]}</p>")
    assert reason(page, PROSE[:1]) is None


def test_an_index_is_refused() -> None:
    assert reason(index(), ["A short teaser."] * 24) is Reason.LIST_PAGE
    assert reason(index(), []) is Reason.LIST_PAGE


def test_an_index_whose_text_is_likely_right_passes() -> None:
    assert reason(index(), ["A short teaser."] * 24, 0.1) is Reason.LIST_PAGE
    assert reason(index(), ["A short teaser."] * 24, 0.9) is None


def test_a_page_of_next_to_nothing_is_no_index() -> None:
    assert reason(page_of("<a><h1><nav>Some words.", url=None), []) is None
    assert reason(index(teasers=2), []) is None


def test_an_index_with_a_text_of_its_own_is_flagged() -> None:
    text = " ".join(PROSE)
    assert reason(index(), [text]) is None
    assert {Flag.LIST_PAGE, Flag.NOT_AN_ARTICLE} <= set(page_flags(index(), [text], ()))


def test_an_article_with_related_teasers_is_not_refused() -> None:
    teasers = "".join(f"<div class=card><h3><a href=/{n}>Story {n}</a></h3><p>Teaser.</p></div>" for n in range(12))
    page = article(more=f"<section class=related>{teasers}</section>")
    assert reason(page, PROSE) is None
    assert page.kinds.likeliest is PageKind.ARTICLE
    assert page_flags(page, PROSE, ()) == ()


@pytest.mark.parametrize(
    "prompt",
    [
        "Subscribe to continue reading.",
        "Already a subscriber? Log in",
        "This article is for subscribers only.",
        "Jetzt weiterlesen mit Gazette+",
        "Nur für Abonnenten",
        "Cet article est réservé aux abonnés.",
        "Suscríbete para seguir leyendo",
        "Articolo riservato agli abbonati",
        "Conteúdo exclusivo para assinantes",
        "Alleen voor abonnees",
        "Artykuł dostępny tylko dla prenumeratorów",
        "Материал доступен только для подписчиков",
        "この記事は会員限定です",
    ],
)
def test_a_paywall_is_flagged_whether_its_prompt_is_kept_or_follows(prompt: str) -> None:
    page = article()
    assert page_flags(page, [*PROSE, prompt], ()) == (Flag.PAYWALL,)
    assert page_flags(page, PROSE, [prompt]) == (Flag.PAYWALL,)


def test_a_declared_paywall_is_flagged() -> None:
    data = '<script type="application/ld+json">{"@type": "NewsArticle", "isAccessibleForFree": "False"}</script>'
    assert Flag.PAYWALL in page_flags(page_of(f"{data}<p>{PROSE[0]}</p>"), PROSE, ())
    free = data.replace("False", "True")
    assert Flag.PAYWALL not in page_flags(page_of(f"{free}<p>{PROSE[0]}</p>"), PROSE, ())


@pytest.mark.parametrize(
    "media_type", ["application/ld+json; charset=utf-8", "application/ld+json;charset=UTF-8", "Application/LD+JSON"]
)
def test_data_with_parameters_declare_a_paywall_too(media_type: str) -> None:
    data = f'<script type="{media_type}">{{"@type": "NewsArticle", "isAccessibleForFree": false}}</script>'
    assert Flag.PAYWALL in page_flags(page_of(f"{data}<p>{PROSE[0]}</p>"), PROSE, ())


def test_words_of_subscription_within_a_text_are_no_paywall() -> None:
    words = "Readers can subscribe to the newsletter, which is free, and become members of the club of the harbour."
    assert page_flags(article(*PROSE, words), [*PROSE, words], [words]) == ()
