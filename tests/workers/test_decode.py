import codecs

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.charsets import CharsetSource
from workers.decode import decode

GERMAN = "Grüße aus München, schöne Straßen und überhaupt"
FRENCH = "Où est passé l’été ? Le café, ça coûte 3 €, « déjà » payé."
RUSSIAN = "Это русский текст про погоду и море, а ещё про долгую дорогу домой через лес и поле"
POLISH = "Zażółć gęślą jaźń: wczoraj wieczorem radni przyjęli uchwałę o budowie mostu, który połączy oba brzegi rzeki"
CZECH = "Příliš žluťoučký kůň úpěl ďábelské ódy, zatímco řeka tekla pod mostem a děti si hrály na břehu"
GREEK = "Η βροχή σταμάτησε και οι άνθρωποι βγήκαν στους δρόμους της πόλης για να δουν τον ήλιο"
TURKISH = "Şehrin ışıkları gece boyunca söndü, çünkü fırtına bütün direkleri yıktı ve yağmur sürdü"
HEBREW = "הגשם פסק והאנשים יצאו אל רחובות העיר כדי לראות את השמש"
ARABIC = "توقف المطر وخرج الناس إلى شوارع المدينة ليروا الشمس"
LITHUANIAN = "Šiandien žmonės išėjo į gatves, nes lietus liovėsi ir saulė vėl šviečia virš miesto"
THAI = "ฝนหยุดตกแล้วและผู้คนออกมาบนถนนในเมืองเพื่อดูดวงอาทิตย์"
JAPANESE = "雨がやんで、人々は太陽を見るために町の通りに出てきました。今日はとても良い天気です。"
CHINESE = "雨停了，人们走上城市的街道去看太阳。今天的天气非常好，孩子们在河边玩耍。"
TAIWANESE = "雨停了，人們走上城市的街道去看太陽。今天的天氣非常好，孩子們在河邊玩耍。"
KOREAN = "비가 그치고 사람들은 태양을 보기 위해 도시의 거리로 나왔습니다. 오늘은 날씨가 매우 좋습니다."

BOM, HTTP, META, XML, DETECTED, DEFAULT = CharsetSource


def page(text: str, head: str = "", lang: str = "") -> str:
    return f"<!doctype html><html{f' lang={lang}' if lang else ''}><head>{head}</head><body><p>{text}</p></body></html>"


def meta(charset: str) -> str:
    return f'<meta charset="{charset}">'


def old_meta(charset: str) -> str:
    return f'<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset={charset}">'


def xml(charset: str) -> str:
    return f'<?xml version="1.0" encoding="{charset}"?><html xmlns="http://www.w3.org/1999/xhtml"><p>'


# what it is, the text, Python's name of the charset it is written in, what HTTP declares, the charset found, and how
CASES = [
    ("empty", "", "ascii", None, "utf-8", DETECTED),
    ("plain ASCII", "words", "ascii", None, "utf-8", DETECTED),
    ("valid UTF-8", GERMAN, "utf-8", None, "utf-8", DETECTED),
    ("UTF-8 by HTTP", GERMAN, "utf-8", "UTF-8", "utf-8", HTTP),
    ("UTF-8 by its other label", GERMAN, "utf-8", "utf8", "utf-8", HTTP),
    ("UTF-8 by meta", page(GERMAN, meta("utf-8")), "utf-8", None, "utf-8", META),
    ("HTTP before meta", page(RUSSIAN, meta("utf-8")), "cp1251", "windows-1251", "windows-1251", HTTP),
    ("meta where HTTP does not fit", page(RUSSIAN, meta("windows-1251")), "cp1251", "utf-8", "windows-1251", META),
    ("meta where HTTP is unknown", page(RUSSIAN, meta("koi8-r")), "koi8-r", "no-such-charset", "koi8-r", META),
    ("meta before XML", xml("utf-8") + meta("windows-1251") + RUSSIAN, "cp1251", None, "windows-1251", META),
    ("XML declaration", xml("windows-1251") + RUSSIAN, "cp1251", None, "windows-1251", XML),
    ("XML declaration, Latin-2", xml("iso-8859-2") + POLISH, "iso8859-2", None, "iso-8859-2", XML),
    ("old meta", page(JAPANESE, old_meta("Shift_JIS")), "cp932", None, "shift_jis", META),
    ("a comment is not asked", "<!-- <meta charset=koi8-r> -->é", "utf-8", None, "utf-8", DETECTED),
    ("no UTF-16 in ASCII", page("é", meta("utf-16")), "utf-8", None, "utf-8", META),
    ("latin-1 means windows-1252", FRENCH, "cp1252", "ISO-8859-1", "windows-1252", HTTP),
    ("so does ASCII", FRENCH, "cp1252", "us-ascii", "windows-1252", HTTP),
    ("so does Python's label, quoted", FRENCH, "cp1252", ' "latin-1" ', "windows-1252", HTTP),
    ("German as latin-1", page(GERMAN, meta("iso-8859-1")), "cp1252", None, "windows-1252", META),
    ("latin-9 is its own", FRENCH.replace("’", "'"), "iso8859-15", "iso-8859-15", "iso-8859-15", HTTP),
    ("windows-1250", page(CZECH), "cp1250", "windows-1250", "windows-1250", HTTP),
    ("windows-1250 as latin-1", page(CZECH, lang="cs"), "cp1250", "iso-8859-1", "windows-1250", DETECTED),
    ("windows-1250 as latin-1, Polish", page(POLISH, lang="pl"), "cp1250", "iso-8859-1", "windows-1250", DETECTED),
    ("windows-1251 as latin-1", page(RUSSIAN), "cp1251", "iso-8859-1", "windows-1251", DETECTED),
    ("windows-1251 as latin-1 by meta", page(RUSSIAN, meta("iso-8859-1")), "cp1251", None, "windows-1251", DETECTED),
    ("windows-1251 guessed", RUSSIAN, "cp1251", None, "windows-1251", DETECTED),
    ("windows-1253", page(GREEK, meta("windows-1253")), "cp1253", None, "windows-1253", META),
    ("windows-1253 as latin-1", page(GREEK, lang="el"), "cp1253", "iso-8859-1", "windows-1253", DETECTED),
    ("windows-1254, also as latin-5", page(TURKISH), "cp1254", "iso-8859-9", "windows-1254", HTTP),
    ("windows-1254 as latin-1", page(TURKISH, lang="tr"), "cp1254", "iso-8859-1", "windows-1254", DETECTED),
    ("windows-1255", page(HEBREW, old_meta("windows-1255")), "cp1255", None, "windows-1255", META),
    ("windows-1255 as latin-1", page(HEBREW, lang="he"), "cp1255", "iso-8859-1", "windows-1255", DETECTED),
    ("windows-1256", page(ARABIC), "cp1256", "windows-1256", "windows-1256", HTTP),
    ("windows-1256 as latin-1", page(ARABIC, lang="ar"), "cp1256", "iso-8859-1", "windows-1256", DETECTED),
    ("windows-1257", page(LITHUANIAN), "cp1257", "windows-1257", "windows-1257", HTTP),
    ("windows-1257 as latin-1", page(LITHUANIAN, lang="lt"), "cp1257", "iso-8859-1", "windows-1257", DETECTED),
    ("windows-874, also as TIS-620", page(THAI), "cp874", "tis-620", "windows-874", HTTP),
    ("KOI8-R", page(RUSSIAN), "koi8-r", "koi8-r", "koi8-r", HTTP),
    ("KOI8-R guessed", page(RUSSIAN * 3), "koi8-r", None, "koi8-r", DETECTED),
    ("KOI8-U", page("Дощ ущух, і люди вийшли на вулиці"), "koi8-u", "koi8-u", "koi8-u", HTTP),
    ("MacCyrillic", page(RUSSIAN), "mac-cyrillic", "x-mac-cyrillic", "x-mac-cyrillic", HTTP),
    ("Shift_JIS", page(JAPANESE), "cp932", "shift_jis", "shift_jis", HTTP),
    ("Shift_JIS by Python's label", page(JAPANESE), "cp932", "cp932", "shift_jis", HTTP),
    ("Shift_JIS called UTF-8", page(JAPANESE, lang="ja"), "cp932", "utf-8", "shift_jis", DETECTED),
    ("EUC-JP", page(JAPANESE), "euc-jp", "euc-jp", "euc-jp", HTTP),
    ("ISO-2022-JP", page(JAPANESE), "iso2022-jp", "iso-2022-jp", "iso-2022-jp", HTTP),
    ("ISO-2022-JP, not declared", page(JAPANESE), "iso2022-jp", None, "iso-2022-jp", DETECTED),
    (
        "ISO-2022-JP by a label that is none",
        page(JAPANESE, meta("iso2022_jp")),
        "iso2022-jp",
        None,
        "iso-2022-jp",
        DETECTED,
    ),
    ("GB18030", page(CHINESE + "𠀀"), "gb18030", "gb18030", "gb18030", HTTP),
    ("GB18030 labelled GB2312", page(CHINESE + "镕"), "gb18030", "gb2312", "gb18030", HTTP),
    ("GB18030 labelled GBK", page(CHINESE + "€"), "gb18030", "gbk", "gb18030", HTTP),
    ("GB18030 as latin-1", page(CHINESE, lang="zh-CN"), "gb18030", "iso-8859-1", "gb18030", DETECTED),
    ("Big5", page(TAIWANESE), "big5", "big5", "big5", HTTP),
    ("EUC-KR", page(KOREAN), "euc-kr", "euc-kr", "euc-kr", HTTP),
    ("EUC-KR labelled as its subset", page(KOREAN + "똠"), "cp949", "ks_c_5601-1987", "euc-kr", HTTP),
    ("EUC-KR as latin-1", page(KOREAN, lang="ko"), "cp949", "iso-8859-1", "euc-kr", DETECTED),
    ("UTF-16 little by HTTP", page(GERMAN), "utf-16-le", "utf-16", "utf-16le", HTTP),
    ("UTF-16 big by HTTP", page(GERMAN), "utf-16-be", "utf-16be", "utf-16be", HTTP),
    ("UTF-16 little, not declared", page(GERMAN), "utf-16-le", None, "utf-16le", DETECTED),
    ("UTF-16 big, not declared", page(GERMAN), "utf-16-be", None, "utf-16be", DETECTED),
    ("UTF-8 as latin-1", page(GERMAN), "utf-8", "iso-8859-1", "utf-8", DETECTED),
    ("UTF-8 as windows-1252 by meta", page(FRENCH, meta("windows-1252")), "utf-8", None, "utf-8", DETECTED),
    ("windows-1252 as UTF-8", GERMAN, "cp1252", "utf-8", "windows-1252", DEFAULT),
    ("too short to guess", "café", "cp1252", None, "windows-1252", DEFAULT),
]
BODIES = [
    ("BOM before HTTP", codecs.BOM_UTF8 + GERMAN.encode(), "latin-1", GERMAN, "utf-8", BOM),
    (
        "BOM before meta",
        codecs.BOM_UTF8 + meta("koi8-r").encode() + b"\xc3\xa9",
        None,
        meta("koi8-r") + "é",
        "utf-8",
        BOM,
    ),
    ("UTF-16 by BOM", codecs.BOM_UTF16_LE + GERMAN.encode("utf-16-le"), "utf-8", GERMAN, "utf-16le", BOM),
    ("UTF-16 big by BOM", codecs.BOM_UTF16_BE + GERMAN.encode("utf-16-be"), None, GERMAN, "utf-16be", BOM),
    (
        "UTF-16 cut in a character",
        codecs.BOM_UTF16_LE + "é".encode("utf-16-le") * 9 + b"\xe9",
        None,
        "é" * 9 + "\ufffd",
        "utf-16le",
        BOM,
    ),
    ("cut in a character", "é".encode() * 50 + b"\xc3", "utf-8", "é" * 50 + "\ufffd", "utf-8", HTTP),
    ("cut in a character, not declared", "é".encode() * 50 + b"\xc3", None, "é" * 50 + "\ufffd", "utf-8", DETECTED),
    ("Shift_JIS cut", ("あ" * 50).encode("cp932") + b"\x82", "shift_jis", "あ" * 50 + "\ufffd", "shift_jis", HTTP),
    ("GB18030 cut", ("雨" * 50).encode("gb18030") + b"\xd3", "gb18030", "雨" * 50 + "\ufffd", "gb18030", HTTP),
    (
        "damaged in the middle",
        ("é" * 30).encode() + b"\xff" + ("é" * 30).encode(),
        "utf-8",
        "é" * 30 + "\ufffd" + "é" * 30,
        "utf-8",
        HTTP,
    ),
]


@pytest.mark.parametrize(
    ("text", "written", "declared", "charset", "source"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_text_is_read_as_it_was_written(
    text: str, written: str, declared: str | None, charset: str, source: CharsetSource
) -> None:
    decoded = decode(text.encode(written), declared)
    assert (decoded.charset, decoded.source) == (charset, source)
    assert decoded.text == text


@pytest.mark.parametrize(
    ("body", "declared", "text", "charset", "source"), [case[1:] for case in BODIES], ids=[case[0] for case in BODIES]
)
def test_bytes_become_text(body: bytes, declared: str | None, text: str, charset: str, source: CharsetSource) -> None:
    decoded = decode(body, declared)
    assert (decoded.text, decoded.charset, decoded.source) == (text, charset, source)


@pytest.mark.parametrize(
    "label", ["utf-7", "rot13", "hex", "idna", "unicode_escape", "x-user-defined", "\ud800", "a\0b"]
)
def test_labels_that_are_no_charset_of_the_web_are_passed_over(label: str) -> None:
    decoded = decode(b"+AGE- plain", label)
    assert (decoded.text, decoded.charset) == ("+AGE- plain", "utf-8")


@given(st.binary(max_size=2000), st.one_of(st.none(), st.text(max_size=20)))
@example(bytes(range(256)), "iso-2022-jp")
def test_never_raises(body: bytes, declared: str | None) -> None:
    decoded = decode(body, declared)
    assert isinstance(decoded.text, str)
    assert decoded.charset
