"""Bytes of a page to text: which charset, and never a failure."""

import codecs
import re
from collections.abc import Iterator

import webencodings
from charset_normalizer import from_bytes

_PRESCAN_BYTES = 1024  # WHATWG HTML, 13.2.3.2: a declaration must lie within these
_DETECTION_BYTES = 64 * 1024
_MAX_DAMAGED_SHARE = 0.1  # of the characters beyond ASCII
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_BE, "utf-16be"), (codecs.BOM_UTF16_LE, "utf-16le"))
_PYTHON_NAMES = {"cp932": "shift_jis", "cp949": "euc-kr", "big5hkscs": "big5", "cp950": "big5"}
_GUESSES = [  # what the web is written in, by Python's names; the standard's own list of legacy encodings is the source
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp874", "iso8859_2", "koi8_r"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949"),
]
_META = re.compile(rb"""<meta\s[^>]*?charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_XML = re.compile(rb"""^\s*<\?xml\s[^>]*?encoding\s*=\s*["']([\w.:-]+)""", re.IGNORECASE)
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)


def decode(body: bytes, declared: str | None) -> tuple[str, str]:
    """Returns the text of `body` and the WHATWG name of the charset it was read with.

    `declared` is the charset parameter of the Content-Type header. Asked in this order: a byte order mark, `declared`,
    the page's own declaration, UTF-8 where the bytes are valid, a guess from the bytes, and windows-1252 with
    replacement characters in the end. Labels mean what the WHATWG Encoding Standard says: latin-1 is windows-1252.
    A declared charset that does not fit the bytes is passed over, unless only a few of them are damaged.
    """
    for bom, name in _BOMS:
        if body.startswith(bom):
            return body[len(bom) :].decode(name, "replace"), name
    for name in _declared_names(body, declared):
        text = _decode_as(name, body)
        if text is not None:
            return text, name
    return _guess(body)


def _declared_names(body: bytes, declared: str | None) -> Iterator[str]:
    if declared and (name := _standard_name(declared)):
        yield name
    if name := _name_in_page(body):
        yield name
    yield "utf-8"


def _name_in_page(body: bytes) -> str | None:
    head = _COMMENT.sub(b"", body[:_PRESCAN_BYTES])
    match = _META.search(head) or _XML.search(head)
    name = _standard_name(match[1].decode("ascii", "ignore")) if match else None
    # These bytes were read as ASCII, so it cannot be UTF-16 (WHATWG HTML, 13.2.3.2, step "get an encoding").
    return "utf-8" if name in {"utf-16le", "utf-16be"} else name


def _standard_name(label: str) -> str | None:
    if not label.isascii():
        return None
    label = label.strip("\"' ")
    encoding = webencodings.lookup(label) or webencodings.lookup(_python_name(label))
    if encoding is None or encoding.name in {"replacement", "x-user-defined"}:
        return None
    return str(encoding.name)


def _python_name(label: str) -> str:
    """Returns a label of the standard for one that only Python knows, as `latin-1` or `cp932`."""
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError):
        return ""
    return _PYTHON_NAMES.get(name, name.replace("_", "-"))


def _decode_as(name: str, body: bytes) -> str | None:
    text = str(webencodings.decode(body, name, "replace")[0])
    damaged = text.count("\ufffd")
    if damaged == 0:
        return text
    beyond_ascii = sum(not char.isascii() for char in text)
    return text if damaged <= _MAX_DAMAGED_SHARE * beyond_ascii else None


def _guess(body: bytes) -> tuple[str, str]:
    sample = body[:_DETECTION_BYTES]
    if len(sample) < len(body):
        sample = sample.rpartition(b"<")[0] or sample  # not in the middle of a character
    best = from_bytes(sample, cp_isolation=_GUESSES).best()
    if best and "cp1252" not in best.could_be_from_charset and (name := _standard_name(best.encoding)):
        text = _decode_as(name, body)
        if text is not None:
            return text, name
    return body.decode("windows-1252", "replace"), "windows-1252"
