"""Words of bylines on pages and in pasted text: words before, between and after names, and words that are not names."""

import re
from collections.abc import Iterable

from workers.page.words import MONTHS, WEEKDAYS, word_set

BY_WORDS = word_set(
    """af auteur auteure auteurs author authors autor autora autoren autore autores autorin av by di door od par por
    przez vom von автор"""
)
# Not "reviewed", because a reviewer is not the author. The byline element of a page may still use the word.
BEFORE_BY = word_set(
    """analysis article authored escrito geschreven geschrieben opinion posted pubblicato publicado published publié
    reported review scritto skrevet skriven story submitted text verfasst veröffentlicht words written écrit"""
)
BY_LABELS = word_set("作者 執筆 執筆者 投稿者 文 著者 記者 记者 글")  # a name may follow without a space


def any_of(words: Iterable[str]) -> str:
    """Returns `words` as alternatives of a regular expression, the longest first."""
    return "|".join(sorted(words, key=lambda word: (-len(word), word)))


NOT_A_NAME = re.compile(r"[?!=<>{}#%$€\\]|\.\.\.|…|https?:")
NOISY = re.compile(r"[@(\[<]|https?:|www\.|follow", re.IGNORECASE)  # every match of NOISE has one of these
NOISE = re.compile(
    r"[^\s()]+@[^\s()]+|https?://\S*|\bwww\.\S+|(?<!\w)@\w+|\([^)]*\)|\[[^\]]*\]|<[^>]*>|\bfollow(?:ing)?\b.*",
    re.IGNORECASE,
)
BY = re.compile(
    rf"^\W*(?:(?:{any_of(BEFORE_BY)}|reviewed|created|added|medically reviewed|ein beitrag)\s+)?"
    rf"(?:{any_of(BY_WORDS | BY_LABELS)}|writer|text|texto|testo|tekst|foto|redaktion|автори|yazan|haber|بقلم|كتب|מאת)"
    r"(?:\s*[:：]\s*|\s+|(?<=[著作記记]者)|$)",
    re.IGNORECASE,
)
BREAK = re.compile(r"\s*(?:[;|/•·●\n、，]|\s[–—-]\s)\s*")
# Words before a place, a date or an employer.
TURN = re.compile(r"\s(?:on|at|in|am|vom|für|for|from|via|is)\s.*", re.IGNORECASE)
# A conjunction of one letter separates names only if a whole name follows: Ortega y Gasset is one name.
AND = re.compile(
    r"\s*(?:,|،|\s&\s|\s\+\s|\s(?:and|und|et|og|och|en|ja|oraz|ve|și|şi|és|και|та|with|mit|avec|con|med)\s"
    r"|\s(?:y|e|i|a|и|й|و)\s(?=\S+\s+\S)|(?<=[\u4e00-\u9fff])と(?=[\u4e00-\u9fff])"
    r"|(?<=[\u4e00-\u9fff]{2})[和与與](?=[\u4e00-\u9fff]{2}))\s*",
    re.IGNORECASE,
)
REPORTER = re.compile(r"(?:\s*(?:記者|记者|기자|特派員|さん|氏))+$")
SUFFIX = re.compile(r",\s*((?:Jr|Sr|II|III|IV)\b\.?)", re.IGNORECASE)
DEGREE = re.compile(
    r"(?:\b(?:ph\.?\s?d|m\.?d|md|mph|mba|rdn?|rn|ms|msc|ma|llm|jd|esq|cfp|cpa|dds|dvm|np|pa-c|lcsw|fand|cscs)\b\.?)+$",
    re.IGNORECASE,
)
PARTICLES = word_set(
    """af al av ben bin da das de del della dem den der di do dos du e el ibn la le les mc ten ter und van vander vom
    von y zu zum zur 't"""
)
ROLES = word_set(
    """analyst anchor architect associate attorney author authors autor autorin blogger ceo chef chefredakteur
    chefredakteurin chief cmo columnist columnists consultant content contributing contributor contributors
    coordinator copywriter correspondent correspondant correspondante creator cto cofounder co-founder developer
    dietitian director editor editorial editors engineer executive expert founder freelance freelancer guest
    head host intern journalist journalistin journaliste journalista korrespondent korrespondentin lawyer lead
    leiter leiterin manager managing marketing marketer nutritionist officer owner periodista photographer
    president producer professor programmer psychologist redakteur redakteurin redacteur redactor redactora
    redattore reporter reporters researcher ressortleiter reviewer scientist senior specialist staff strategist
    teacher therapist trainer veterinarian volontär volontärin vp writer writers"""
)
TRADES = ROLES - word_set("chef head host lead owner")  # those are family names, too
NEVER = word_set(
    """about account advertisement ago all alle archive article articles artikel ask autoren bio blog by categories
    category checked click comment comments contact continue cookies copyright current date email facebook fact filed
    follow for full get hours how in instagram it join kommentare last leave lesen linkedin log login mehr mins minutes
    month more my newsletter no not of on our out photo photos pinterest posted posts previous print profile published
    read reading related reply rss search see share skip subscribe tags teilen thanks that the this to topics tweet
    twitter uhr updated view views was we week whatsapp what when who why with year years your youtube zum"""
)
NEVER_ALONE = (
    MONTHS
    | WEEKDAYS
    | word_set(
        """a admin administrator an anmelden anonymous author authors bluesky default editorial email gettr guest
        here home join login mastodon menu name news next other register registrieren search sign threads today
        topics unknown us user view website you youtube antworten auteur auteurs autore autoren nachricht
        navigation reply répondre responder text texte texto testo"""
    )
)
NO_NAME_ALONE = NEVER | NEVER_ALONE | ROLES
ORGANISATION = re.compile(
    r"redaktion|redacci[oó]n|r[ée]daction|redazione|redactie|toimitus|\.(?:com|org|net|de|fr|co)\b|新聞|編集部|社$"
    r"|\b(?:team|staff|editors?|editorial|desk|news|newsroom|press|agency|agentur|media|magazine|magazin|zeitung|times"
    r"|post|journal|inc|llc|ltd|gmbh|ag|reuters|dpa|afp|apa|ap|efe|ansa|sid|kna|epd|blog|online|digital|group|institute"
    r"|university|foundation|association|company|studio|contributors?)\b",
    re.IGNORECASE,
)
