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
    reported reporting review scritto skrevet skriven story submitted text verfasst veröffentlicht words written
    écrit"""
)
# A name may follow without a space.
BY_LABELS = word_set(
    "作者 執筆 執筆者 投稿者 文 撰文 撰稿 撰稿人 通讯员 取材 著者 記者 记者 글 ライター 聞き手 文責 筆者 글·사진"
)
# Words for those who wrote or spoke with somebody. A name follows, with or without a colon.
WROTE = word_set(
    """беседовал беседовала подготовил подготовила записал записала написал написала підготував підготувала
    เขียนโดย oleh írta napsal napsala napísal napísala opracował opracowała oprac. rédigé"""
) | {"a cura di", "propos recueillis par", "автор текста", "взяла интервью", "взял интервью"}
# Labels of authors that need a colon: without it, they are common words.
LABELS = word_set(
    """redaktion redacción redação penulis pewarta wartawan muhabir yazar teksti szerző bài kirjoittaja skribent
    reporter repórter ρεπορτάζ เรื่อง รายงาน रिपोर्ट रिपोर्टर إعداد الكاتب الكاتبة كتابة تقرير כתב כתבה כתבת
    журналист корреспондент"""
) | {"bài viết"}


def any_of(words: Iterable[str]) -> str:
    """Returns `words` as alternatives of a regular expression, the longest first."""
    return "|".join(sorted(words, key=lambda word: (-len(word), word)))


NOT_A_NAME = re.compile(r"[?!=<>{}#%$€\\]|\.\.\.|…|https?:")
NOISY = re.compile(r"[@(（\[<]|https?:|www\.|follow", re.IGNORECASE)  # every match of NOISE has one of these
NOISE = re.compile(
    r"[^\s()]+@[^\s()]+|https?://\S*|\bwww\.\S+|(?<!\w)@\w+|\([^)]*\)|（[^）]*）|\[[^\]]*\]|<[^>]*>|\bfollow(?:ing)?\b.*",
    re.IGNORECASE,
)
# Labels, with a colon after them, of others than authors and of what is no name. They end the names of a byline.
_OTHERS = word_set(
    """责任编辑 責任編輯 责编 責編 编辑 編輯 編集 主编 总编 编译 審稿 审核 审校 责任校对 校对 校對 监制
    来源 來源 出典 稿源 摄影 攝影 撮影 写真 图片 圖片 图 圖 时间 時間 日期 发布时间 发布 阅读 浏览
    편집 사진 출처 редактор фото источник редакція джерело photo photos foto fotos fotografía photographie
    φωτογραφία φωτογραφίες επιμέλεια ช่างภาพ ภาพ
    บรรณาธิการ ảnh nguồn fotoğraf editör editor editing édition edición संपादक फोटो تصوير تحرير المصدر محرر צילום עריכה
    עורך zdjęcia zdjęcie zdj. kuvat kuva bilder bild fotografie fotók kép 圖 插画 イラスト
    source quelle fuente fonte bron kaynak źródło"""
) | {"biên tập"}
OTHER_LABEL = re.compile(
    r"(?<!\w)(?:(?:photos?|photographs?|photography|pictures?|images?|illustrations?|graphics?|videos?"
    r"|editing|edited|translated|produced|compiled|fact[- ]checked|fotos?|bilder)\s+(?:by|von)\b"
    rf"|(?:{any_of(_OTHERS)})\s*[:：／/｜|＝●])"
    r"|(?:责任编辑|責任編輯|责编)\s*[:：]?|来源\s*[:：]|來源\s*[:：]",
    re.IGNORECASE,
)
# 本报记者, 新华社记者, 記者: before a name.
CHINESE_REPORTER = re.compile(
    r"^[\u4e00-\u9fff]{0,8}?(?:特约|見習|见习)?(?:记者|記者|通讯员|特派员)\s*[:：]?\s*(?=[\u4e00-\u9fff])"
    r"|^(?:기자|특파원)\s+(?=[가-힣])|\s+(?:摄影)?(?:报道|報導|報道)$"
)
# After a name or an agency: 台北報導, 北京5月3日电, 综合报道, 责编.
CHINESE_NO_NAME = re.compile(r"(?:報導|报道|報道|日电|日電|专电|綜合|综合|编译|编辑|編輯|整理|供稿|编者|本报讯|讯)$")
# A name of two or three characters after a family name that is among the hundred most common in China.
_FAMILY = (
    "王李张張刘劉陈陳杨楊黄黃赵趙吴吳周徐孙孫马馬朱胡郭何林罗羅郑鄭梁谢謝宋唐许許邓鄧韩韓冯馮曹彭曾肖田董潘袁蔡蒋蔣余于杜叶葉程魏苏蘇"
    "吕呂丁任卢盧姚沈钟鐘姜崔谭譚陆陸范汪廖石金韦韋贾賈夏付方邹鄒熊白孟秦邱侯江尹薛闫雷龙龍史陶贺賀毛郝顾顧龚龔邵万萬钱錢严嚴洪"
)
CHINESE_NAMES = re.compile(rf"[{_FAMILY}][\u4e00-\u9fff]{{1,2}}(?:\s+[{_FAMILY}][\u4e00-\u9fff]{{1,2}})+")
BRACKETS = re.compile(r"^\s*[（(\[【〔](.*)[）)\]】〕]\s*$", re.DOTALL)
# "and" written together with the next name, between two names of two words.
JOINED_AND = re.compile(
    r"(\S+\s\S+)\s(?:ו(?=[א-ת]{2,}\s)|و(?!ليد|ائل|سيم|فاء|جدان|ديع|حيد|جيه|رد)(?=[\u0621-\u064a]{2,}\s))(?=\S+\s\S+$)"
)
_OTHER_BY = word_set("συντάκτης συντάκτρια γράφει γράφουν κείμενο ρεπορτάζ autorzy opracowanie opracował teksten")
_OTHER_BY |= WROTE | {"tác giả", "bài viết", "thực hiện", "γράφει ο", "γράφει η", "του", "της"}
BY = re.compile(
    rf"^\W*(?:(?:{any_of(BEFORE_BY)}|reviewed|created|added|medically reviewed|ein beitrag)\s+)?"
    rf"(?:取材・)?(?:{any_of(BY_WORDS | BY_LABELS)}|writer|text|texto|testo|tekst|foto|redaktion|автори|тексты?"
    rf"|yazan|haber|بقلم|كتبت?|نوشته|نویسنده|خبرنگار|מאת|โดย|ผู้เขียน|เรื่อง|द्वारा|लेखक"
    rf"|{any_of(_OTHER_BY)})"
    r"(?:\s*[:：／＝｜|●・]\s*|\s+|(?<=[著作記记]者)|$)"
    rf"|^\W*(?:{any_of(LABELS)})\s*[:：]\s*",
    re.IGNORECASE,
)
BREAK = re.compile(r"\s*(?:[;|/／｜　•·●\n、，；]|\s[–—-]\s)\s*")
# Words before a place, a date or an employer.
TURN = re.compile(r"\s(?:on|at|in|am|vom|für|for|from|via|is)\s.*", re.IGNORECASE)
# A conjunction of one letter separates names only if a whole name follows: Ortega y Gasset is one name.
AND = re.compile(
    r"\s*(?:,|،|\s&\s|\s\+\s|\s(?:and|und|et|og|och|en|ja|oraz|ve|și|şi|és|και|та|with|mit|avec|con|med)\s"
    r"|\s(?:y|e|i|a|и|й|و)\s(?=\S+\s+\S)|(?<=[\u4e00-\u9fff])と(?=[\u4e00-\u9fff])"
    r"|(?<=[\u4e00-\u9fff]{2})[和与與](?=[\u4e00-\u9fff]{2}))\s*",
    re.IGNORECASE,
)
REPORTER = re.compile(r"(?:\s*(?:記者|记者|기자|특파원|논설위원|特派員|さん|氏))+$")
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
    teacher therapist trainer veterinarian volontär volontärin vp writer writers
    correspondents reporteros corresponsal corresponsales enviado enviada inviato inviata giornalista collaboratore
    journalistes rédacteur rédactrice envoyé envoyée redactores periodistas jornalista repórter editora redator redatora
    journalisten verslaggever verslaggeefster redacteuren reportrar reportere toimittaja dziennikarz dziennikarka
    redaktor redaktorka novinář muhabir muhabiri editör editörü yazar yazarı корреспондент корреспонденты
    корреспондентка журналист журналистка редактор обозреватель репортер кореспондент журналістка журналіст
    оглядач δημοσιογράφος συντάκτης συντάκτρια ανταποκριτής ανταποκρίτρια مراسل مراسلة محرر محررة صحفي صحفية
    כתב כתבת עורך עורכת"""
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
NO_NAME_ALONE = NEVER | NEVER_ALONE | ROLES | BY_WORDS
STAMP = re.compile(r"\d{4}-\d\d|\d\d?:\d\d|^\W*\d[\d\W]*$")  # a moment, or a number: no name
# The publisher's company, which templates name as the author.
COMPANY = re.compile(
    r"(?:^|[\s,])(?:inc|llc|ltd|limited|corp|corporation|gmbh|plc|pty|b\.?v|s\.?a\.?r\.?l|s\.?r\.?l|s\.?p\.?a"
    r"|sp\. z o\. ?o|a\.?ş|oy|oü|a/s)\.?$"
    r"|^(?:ооо|оао|зао|пао|тов)\s|有限公司$|公司$|集团$|株式会社|㈜|주식회사",
    re.IGNORECASE,
)
ORGANISATION = re.compile(
    r"redaktion|redacci[oó]n|r[ée]daction|redazione|redactie|toimitus|\.(?:com|org|net|de|fr|co)\b|新聞|編集部|社$"
    r"|\b(?:team|staff|editors?|editorial|desk|news|newsroom|press|agency|agentur|media|magazine|magazin|zeitung|times"
    r"|post|journal|inc|llc|ltd|gmbh|ag|reuters|dpa|afp|apa|ap|efe|ansa|sid|kna|epd|blog|online|digital|group|institute"
    r"|university|foundation|association|company|studio|contributors?)\b",
    re.IGNORECASE,
)
