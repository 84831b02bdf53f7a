"""The words of bylines: what stands before, between and after names, and what is never one."""

import re

from workers.page.words import word_set

NOT_A_NAME = re.compile(r"[?!=<>{}#%$€\\]|\.\.\.|…|https?:")
NOISY = re.compile(r"[@(\[<]|https?:|www\.|follow", re.IGNORECASE)  # what is needed for any of NOISE
NOISE = re.compile(
    r"[^\s()]+@[^\s()]+|https?://\S*|\bwww\.\S+|(?<!\w)@\w+|\([^)]*\)|\[[^\]]*\]|<[^>]*>|\bfollow(?:ing)?\b.*",
    re.IGNORECASE,
)
BY = re.compile(
    r"^\W*(?:(?:words|text|story|written|posted|reported|published|article|review(?:ed)?|analysis|opinion|created|added"
    r"|medically reviewed|verfasst|geschrieben|ein beitrag|escrito|publicado|publié|écrit|scritto)\s+)?"
    r"(?:by|von|vom|par|por|di|door|av|af|autor(?:in)?(?:en)?|authors?|auteure?s?|autore|writer|text|texto|testo|tekst"
    r"|foto|redaktion|автор|автори|przez|od|yazan|haber|بقلم|كتب|מאת|글|著者|作者|文|記者|记者|執筆)(?:\s*[:：]\s*|\s+|(?<=[著作記记]者)|$)",
    re.IGNORECASE,
)
BREAK = re.compile(r"\s*(?:[;|/•·●\n、，]|\s[–—-]\s)\s*")
# After these a place, a date or an employer follows.
TURN = re.compile(r"\s(?:on|at|in|am|vom|für|for|from|via|is)\s.*", re.IGNORECASE)
# A conjunction of one letter stands between names only where a whole name follows: Ortega y Gasset is one.
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
    """al bin da das de del dem den der di do dos du e el la le les ibn of ten ter und van vander vom von y zu zum zur
    't"""
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
NEVER_ALONE = word_set(
    """a admin administrator an anmelden anonymous april august author authors bluesky december default editorial email
    february friday gettr guest guide here home january join july june login march mastodon may menu monday name news
    next november october other register registrieren saturday search september sign sunday threads thursday today
    topics tuesday unknown us user view website wednesday you youtube
    mon tue tues wed thu thur thurs fri sat sun jan feb mar apr jun jul aug sep sept oct nov dec
    montag dienstag mittwoch donnerstag freitag samstag sonntag lundi mardi mercredi jeudi vendredi samedi dimanche
    lunes miércoles jueves viernes sábado domingo lunedì martedì mercoledì giovedì venerdì
    antworten auteur auteurs autore autoren nachricht navigation reply répondre responder text texte texto testo"""
)
NO_NAME_ALONE = NEVER | NEVER_ALONE | ROLES
ORGANISATION = re.compile(
    r"redaktion|redacci[oó]n|r[ée]daction|redazione|redactie|toimitus|\.(?:com|org|net|de|fr|co)\b|新聞|編集部|社$"
    r"|\b(?:team|staff|editors?|editorial|desk|news|newsroom|press|agency|agentur|media|magazine|magazin|zeitung|times"
    r"|post|journal|inc|llc|ltd|gmbh|ag|reuters|dpa|afp|apa|ap|efe|ansa|sid|kna|epd|blog|online|digital|group|institute"
    r"|university|foundation|association|company|studio|contributors?)\b",
    re.IGNORECASE,
)
