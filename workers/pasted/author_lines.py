"""How lines and sentences name authors in many languages: `Автор: …`, `Γράφει ο …`, `（记者 …）`, `Reporting by …`."""

import re

from workers.pasted.phrases import opening

# A label before the names; the editor, the photographer and the source have others, and are no authors.
LABELLED = opening(
    r"(?:autor(?:ka|zy|i|es|e|en|as?)?|author(?: of the article|s)?|tekst|opracowa(?:ł|ła|nie)|opr\.|napisała?"
    r"|автори?|авторы?|автор (?:статьи|текста|материала)|текст|подготовила?|szerző|írta|szöveg|yazan|yazar|haber"
    r"|γράφ(?:ει|ουν)|συντάκτ(?:ης|ρια|ες)|συντάκτης άρθρου|ρεπορτάζ|κείμενο|autorul|scris de"
    r"|teksti|kirjoittaja|skriven av|skrevet af|tác giả|bài(?: viết)?|penulis|ditulis oleh|oleh)\s*[:：]\s*(?=\S)",
    r"γράφ(?:ει|ουν)\s+(?:[οη]|οι|του|της)?\s*(?=\S)",
    r"opr\.\s+(?=\S)",
    r"(?:του|της|των)\s+(?=[^\W\d_])",
    r"(?:بقلم|كتبت?|إعداد|تقرير|نویسنده|מאת|כתב[ה]?|लेखक|रिपोर्ट|โดย|ผู้เขียน|เรื่องโดย)\s*[:：]?\s*(?=\S)",
)
# The same label alone; the names follow on the next lines.
LABEL_ALONE = re.compile(
    r"(?:author(?:s)?(?: of the article)?|autor(?:ka|zy|i|es|e|en|a)?|авторы?|автори|текст|συντάκτης|συντάκτρια|γράφει"
    r"|γράφει ο|γράφει η|yazar|yazan|tác giả|(?:ein )?(?:kommentar|gastbeitrag|bericht|analyse) von|text von|por|by|von"
    r"|بقلم|מאת|लेखक|ผู้เขียน|作者|記者|记者|文)\s*[:：]?\Z",
    re.IGNORECASE,
)

_HAN_NAME = r"[\u4e00-\u9fff]{2,4}(?:[·．][\u4e00-\u9fff]{1,6})?"
_HAN_NAMES = rf"(?:{_HAN_NAME}(?:[、，,\s]\s?(?={_HAN_NAME}))?){{1,4}}"
_HAN_ROLE = r"(?:(?:本报|本報|特约|特約|见习|見習|实习|實習|通讯|驻[\u4e00-\u9fff]{2,4})*(?:记者|記者)|通讯员|特派員)"
_HAN_END = r"(?=\s*(?:[／/╱|｜）)】\]]|摄影?|$)|\s*(?:综合)?(?:报道|報導|報道|電|电)|\s+\S)"
_HANGUL = r"[\uac00-\ud7a3]"
# In sentences and in brackets, wherever they stand: of wires and newspapers of East Asia, and of Reuters.
_REPORTERS = (
    re.compile(rf"[（(【\[][^（()）【】\[\]]{{0,12}}?{_HAN_ROLE}[\s:：]*({_HAN_NAMES}?){_HAN_END}"),
    re.compile(rf"\A[^，。]{{0,8}}?{_HAN_ROLE}[\s:：]*({_HAN_NAMES}?){_HAN_END}"),
    re.compile(rf"\A[（(]?(?:撰)?文\s?[／/|｜╱＝=:：]\s?({_HAN_NAMES}?)(?=[\s）)／/|｜]|$)"),
    re.compile(rf"作者\s?[:：]\s?({_HAN_NAMES}?)(?=[\s）)】]|$)"),
    re.compile(rf"(?:\A|[=＝\]】)\s])({_HANGUL}{{2,4}})\s?(?:기자|특파원|논설위원)(?!\S*(?:협회|회견|들|단|실))"),
)
_DESK_REPORT = re.compile(
    r"\(?(?:reporting|written) by (.{3,80}?)(?:,? (?:in|for) [^;.]{2,60}?)?(?=[;.)]|\Z)", re.IGNORECASE
)
_IS_ROLE = re.compile(_HAN_ROLE)
_HAN_SEPARATOR = re.compile(r"[、，,\s]+")
_NO_HAN_NAMES = ("报道", "報導", "综合", "整理", "编辑", "編輯", "摄影", "攝影", "获悉", "了解", "从", "在", "会", "會")


def reporters_in(text: str) -> tuple[str, ...]:
    """Returns the names of the reporters that a line names by their role, as in `（记者 李明）` or `김철수 기자`."""
    for form in _REPORTERS:
        if match := form.search(text):
            names = [name for name in _HAN_SEPARATOR.split(match[1]) if name and not _IS_ROLE.fullmatch(name)]
            return () if any(map(_is_word, names)) else tuple(dict.fromkeys(names))
    return ()


def desk_report_in(text: str) -> str | None:
    """Returns the names in `Reporting by A B and C D; Editing by E F`, or None. Who edited is no author."""
    match = _DESK_REPORT.match(text)
    return match[1] if match else None


def _is_word(name: str) -> bool:
    return name.startswith(_NO_HAN_NAMES) or name.endswith(_NO_HAN_NAMES)
