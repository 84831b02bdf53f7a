"""Recognises by their words pages that ask for consent, a log-in or a subscription instead of showing an article.

Articles about cookies, passwords or subscriptions use the same words. A wall has little other text, and a button or a
field.
"""

import re
from collections.abc import Sequence

# Chosen by hand.
_MAX_WALL_CHARS = 3000  # characters of text on a consent wall, at most; texts about consent are long
_MAX_LOGIN_CHARS = 600  # characters of text on a log-in page, at most
_WALL_SHARE = 0.6  # share of characters in paragraphs about consent, at least
_MAX_PROMPT_CHARS = 200  # characters of a paragraph that asks to subscribe, at most
_PAYWALL_TAIL = 8  # paragraphs at the end of the text, and after it, in which a paywall is looked for

_COOKIE = re.compile(r"\bcookie|\btraceurs|evästeet|çerez|クッキー")  # of lower case
_CONSENT = re.compile(
    r"\b(?:cookie|consent|personal data\b|our partners\b|vendors\b|tracking\b|legitimate interest|einwilligung"
    r"|personenbezogen|datenschutz|drittanbieter|zustimm|partnern\b|consentement|données personnelles"
    r"|nos partenaires|traceurs|consentimiento|datos personales|nuestros socios|consenso\b|dati personali"
    r"|nostri partner|consentimento|dados pessoais|parceiros\b|toestemming|persoonsgegevens|samtyck|samtykke"
    r"|personuppgifter|personoplysninger|personopplysninger|zgod[aęy]\b|dane osobowe|danych osobowych|souhlas"
    r"|evästeet|çerez|файлы cookie|персональных данных)|クッキー|同意"
)  # for text in lower case: ignoring case takes longer, and so does a word boundary in each alternative
_ACCEPT = re.compile(
    r"(?:accept|allow|agree|reject|decline|alle[ns]? (?:akzeptieren|zulassen|ablehnen)|akzeptieren|zustimmen"
    r"|tout accepter|accepter|refuser|continuer sans accepter|aceptar|rechazar|accetta|rifiuta|aceitar|rejeitar"
    r"|accepteren|akkoord|weigeren|godkänn|acceptera|godta|accepter alle|tillad|akceptuję|zgadzam|přijmout|hyväksy"
    r"|kabul et|принять|同意する|同意して)",
    re.IGNORECASE,
)
_LOGIN = re.compile(
    r"(?:^|\b)(?:log[ -]?in|sign[ -]?in|log[ -]?on|anmelden|anmeldung|einloggen|login|se connecter|connexion"
    r"|identifiez-vous|iniciar sesión|inicia sesión|acceder|accedi|accesso|entrar|iniciar sessão|inloggen|aanmelden"
    r"|logga in|logg inn|log ind|kirjaudu|zaloguj|logowanie|přihlásit|přihlášení|giriş yap|войти|вход|ログイン"
    r"|登录|로그인)",
    re.IGNORECASE,
)
_PAYWALL = re.compile(
    r"(?:subscribe|sign up|log in|register|become a (?:member|subscriber)|start your (?:free )?trial)"
    r"[^.!?]{0,60}(?:to (?:continue|keep|read|unlock)|for (?:full|unlimited) access)"
    r"|(?:this|the) (?:article|story|content) is (?:only )?(?:for|available to|exclusive to|reserved for)"
    r"[^.!?]{0,20}(?:subscribers|members)"
    r"|(?:already|not) a (?:subscriber|member)\?|to continue reading|continue reading (?:this article )?with a"
    r"|you(?:'|’)ve (?:reached|read) (?:your|all)[^.!?]{0,30}(?:limit|free articles)"
    r"|(?:jetzt|um) (?:weiter|diesen artikel)[^.!?]{0,10}(?:zu)?lesen|diesen artikel (?:freischalten|weiterlesen)"
    r"|(?:nur|exklusiv) für (?:abonnenten|abonnentinnen)|bereits abonnent|mit [\w+ -]{2,30} weiterlesen"
    r"|(?:article|contenu) (?:est )?réservé aux? abonnés|il vous reste [\d,. ]+ ?% de cet article|déjà abonné"
    r"|abonnez-vous pour (?:lire|continuer)|pour lire la suite"
    r"|(?:contenido|artículo) (?:exclusivo )?(?:para|solo para) (?:suscriptores|socios)|suscríbete para (?:seguir|leer)"
    r"|para seguir leyendo|(?:contenuto|articolo) (?:riservato|solo) (?:agli|per gli) abbonati"
    r"|abbonati per (?:leggere|continuare)"
    r"|(?:conteúdo|matéria) exclusiv[ao] para assinantes|assine para (?:ler|continuar)"
    r"|(?:alleen|exclusief) voor abonnees|word abonnee om|för prenumeranter|for abonnenter"
    r"|artykuł dostępny (?:tylko )?dla (?:prenumeratorów|subskrybentów)|только для подписчиков|会員限定|有料会員",
)  # of lower case


def is_login(paragraphs: Sequence[str], heading: str) -> bool:
    """Returns True if a page with a password field is a log-in page: its `heading` says so, and it has little text."""
    return sum(map(len, paragraphs)) <= _MAX_LOGIN_CHARS and _LOGIN.search(heading) is not None


def consent_share(paragraphs: Sequence[str]) -> float:
    """Returns the share of characters in paragraphs about consent to cookies and the like."""
    total = sum(map(len, paragraphs))
    if not total or total > _MAX_WALL_CHARS:
        return 0.0
    return sum(len(text) for text in paragraphs if _speaks_of_consent(text.lower())) / total


def _speaks_of_consent(text: str) -> bool:
    """Returns True if `text`, in lower case, has a word for cookies, or two other words of consent dialogs."""
    return _COOKIE.search(text) is not None or len(set(_CONSENT.findall(text))) > 1


def is_consent_wall(paragraphs: Sequence[str]) -> bool:
    """Returns True if a page with a consent button asks for consent and has hardly any other text."""
    return consent_share(paragraphs) >= _WALL_SHARE


def offers_consent(buttons: Sequence[str]) -> bool:
    """Returns True if one of the page's short texts is a button of a consent dialog."""
    return any(_ACCEPT.search(text) for text in buttons)


def is_paywalled(paragraphs: Sequence[str]) -> bool:
    """Returns True if the end of the text asks the reader to subscribe for the rest."""
    prompts = (text for text in paragraphs[-_PAYWALL_TAIL:] if len(text) <= _MAX_PROMPT_CHARS)
    return any(_PAYWALL.search(text.lower()) for text in prompts)
