"""Decodes the bytes of a page. It detects the charset, reports how, and never fails."""

import codecs
import re
from collections.abc import Iterator
from functools import lru_cache

import webencodings

from contract.charsets import CharsetSource, Decoded

_PRESCAN_BYTES = 1024  # WHATWG HTML, 13.2.3.2: a declaration must lie within these
_DETECTION_BYTES = 64 * 1024  # chosen: enough text to tell a charset, and it bounds the time of detection
_MAX_DAMAGED_SHARE = 0.1  # of the characters beyond ASCII; chosen: a page may be cut or patched together
_MAX_ODD_SHARE = 0.4  # of all letters; chosen: no language of western Europe has so many beyond ASCII
_MIN_ODD_SYMBOLS = 3  # inside words; chosen: one or two may be typing errors
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_BE, "utf-16be"), (codecs.BOM_UTF16_LE, "utf-16le"))
_PYTHON_NAMES = {"cp932": "shift_jis", "cp949": "euc-kr", "big5hkscs": "big5", "cp950": "big5", "gb2312": "gb18030"}
_GUESSES = [  # from the legacy encodings of the WHATWG Encoding Standard, by Python's names
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp874", "iso8859_2", "koi8_r"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949"),
]
# WHATWG HTML, 13.2.3.2, last step: default encodings by language, for languages whose letters windows-1252 lacks.
_BY_LANGUAGE = {
    **dict.fromkeys(("cs", "hr", "hu", "pl", "ro", "sk", "sl"), "windows-1250"),
    **dict.fromkeys(("be", "bg", "ky", "mk", "ru", "sr", "tg", "tt", "uk"), "windows-1251"),
    **dict.fromkeys(("az", "ku", "tr"), "windows-1254"),
    **dict.fromkeys(("ar", "fa"), "windows-1256"),
    **dict.fromkeys(("et", "lt", "lv"), "windows-1257"),
    "el": "windows-1253",
    "he": "windows-1255",
    "vi": "windows-1258",
    "th": "windows-874",
    "ja": "shift_jis",
    "ko": "euc-kr",
    "zh": "gb18030",
}
_META = re.compile(rb"""<meta\s[^>]*?charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_XML = re.compile(rb"""^\s*<\?xml\s[^>]*?encoding\s*=\s*["']([\w.:-]+)""", re.IGNORECASE)
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_LANGUAGE = re.compile(rb"""<html\s[^<>]*?\blang\s*=\s*["']?([a-z]{2})\b""", re.IGNORECASE)
_JAPANESE = re.compile(rb"\x1b\$[@B]")  # ISO-2022-JP (RFC 1468): the escapes to JIS X 0208
_TAG = re.compile(r"<[^<>]*>")
_ODD_SYMBOL = re.compile(r"(?<=[^\W\d_])[¢-©¬-¯±-´¶-¹¼-¿×÷](?=[^\W\d_])")  # the middle dot is Catalan


def decode(body: bytes, declared: str | None) -> Decoded:
    """Returns the text of `body`.

    `declared` is the charset parameter of the Content-Type header. The first of these that fits counts: a byte order
    mark, `declared`, the page's own declaration (a meta element, then an XML declaration), detection from the bytes,
    and at last windows-1252 with replacement characters. Labels mean what the WHATWG Encoding Standard says: latin-1 is
    windows-1252. A declared charset does not fit if more than a few bytes are invalid in it. windows-1252, in which all
    bytes are valid, does not fit if the text is clearly in another charset: many servers always declare latin-1.
    """
    for bom, name in _BOMS:
        if body.startswith(bom):
            return Decoded(body[len(bom) :].decode(name, "replace"), name, CharsetSource.BOM)
    for name, source in _declared_names(body, declared):
        text = _decode_as(name, body)
        if text is None:
            continue
        if name == "windows-1252" and _is_doubtful(body, text) and (better := _guess(body)).charset != name:
            return better
        return Decoded(text, name, source)
    return _guess(body)


def _declared_names(body: bytes, declared: str | None) -> Iterator[tuple[str, CharsetSource]]:
    if declared and (name := _standard_name(declared)):
        yield name, CharsetSource.HTTP
    yield from _names_in_page(body)


def _names_in_page(body: bytes) -> Iterator[tuple[str, CharsetSource]]:
    head = _COMMENT.sub(b"", body[:_PRESCAN_BYTES])
    for pattern, source in ((_META, CharsetSource.META), (_XML, CharsetSource.XML)):
        match = pattern.search(head)
        if match and (name := _standard_name(match[1].decode("ascii", "ignore"))):
            # These bytes were read as ASCII, so it cannot be UTF-16 (WHATWG HTML, 13.2.3.2, "get an encoding").
            yield "utf-8" if name in {"utf-16le", "utf-16be"} else name, source


@lru_cache(256)
def _standard_name(label: str) -> str | None:
    if not label.isascii():
        return None
    label = label.strip("\"' ")
    encoding = webencodings.lookup(label) or webencodings.lookup(_python_name(label))
    if encoding is None or encoding.name in {"replacement", "x-user-defined"}:
        return None
    return "gb18030" if encoding.name == "gbk" else str(encoding.name)  # Encoding Standard, 10.1.1: GBK's decoder


def _python_name(label: str) -> str:
    """Returns the standard's label for one that only Python knows, such as `latin-1` or `cp932`."""
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError):
        return ""
    return _PYTHON_NAMES.get(name, name.replace("_", "-"))


def _decode_as(name: str, body: bytes) -> str | None:
    codec = (webencodings.lookup(name) or webencodings.UTF8).codec_info
    try:
        return str(codec.decode(body, "strict")[0])
    except UnicodeDecodeError:
        text = str(codec.decode(body, "replace")[0])
    damaged = text.count("\ufffd")
    beyond_ascii = sum(not char.isascii() for char in text)
    return text if damaged <= _MAX_DAMAGED_SHARE * beyond_ascii else None


def _is_doubtful(body: bytes, text: str) -> bool:
    """Returns True if `text`, decoded as windows-1252, is probably in another charset."""
    if text.isascii():
        return False
    if _decode_as("utf-8", body) is not None or _by_language(body):
        return True
    letters = [char for char in _TAG.sub(" ", text) if char.isalpha()]
    odd = sum(not char.isascii() for char in letters)
    return odd > _MAX_ODD_SHARE * len(letters) or len(_ODD_SYMBOL.findall(text)) >= _MIN_ODD_SYMBOLS


def _guess(body: bytes) -> Decoded:
    for guess in (_utf16, _iso_2022_jp, lambda _: "utf-8", _by_language, _by_look):
        name = guess(body)
        text = _decode_as(name, body) if name else None
        if name and text is not None:
            return Decoded(text, name, CharsetSource.DETECTED)
    return Decoded(body.decode("windows-1252", "replace"), "windows-1252", CharsetSource.DEFAULT)


def _utf16(body: bytes) -> str | None:
    """Returns the byte order of UTF-16 without a byte order mark, if it is mostly ASCII: every second byte is zero."""
    start = body[: _PRESCAN_BYTES & ~1]
    even, odd = start[::2].count(0), start[1::2].count(0)
    if even > len(start) // 3 and odd == 0:
        return "utf-16be"
    return "utf-16le" if odd > len(start) // 3 and even == 0 else None


def _iso_2022_jp(body: bytes) -> str | None:
    """Returns `iso-2022-jp`, which has seven bits, if `body` has its escapes."""
    return "iso-2022-jp" if _JAPANESE.search(body[:_DETECTION_BYTES]) and body.isascii() else None


def _by_language(body: bytes) -> str | None:
    match = _LANGUAGE.search(_COMMENT.sub(b"", body[: 2 * _PRESCAN_BYTES]))
    return _BY_LANGUAGE.get(match[1].decode("ascii").lower()) if match else None


def _by_look(body: bytes) -> str | None:
    from charset_normalizer import from_bytes  # noqa: PLC0415 - 2 MB, rarely needed

    sample = body[:_DETECTION_BYTES]
    if len(sample) < len(body):
        sample = sample.rpartition(b"<")[0] or sample  # not in the middle of a character
    best = from_bytes(sample, cp_isolation=_GUESSES).best()
    if best is None or "cp1252" in best.could_be_from_charset:
        return None
    return _standard_name(best.encoding)
