"""Tells files that are no plain text or HTML from text with a few odd characters in it."""

import re
from typing import Final

import orjson

# The first bytes of each kind of file, from the formats' specifications and the WHATWG MIME Sniffing Standard.
_BEGINNINGS: Final = (
    (b"%PDF-", "PDF"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"PK\x03\x04", "ZIP (as are .docx, .odt and .epub)"),
    (b"\x1f\x8b\x08", "gzip"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Microsoft Office"),
    (b"\x7fELF", "ELF"),
    (b"SQLite format 3\x00", "SQLite"),
    (b"{\\rtf", "RTF"),
    (b"%!PS-Adobe-", "PostScript"),
)

_TAGS: Final = b"html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p"
_HTML: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?[\t\n\f\r ]*<(?:!--|(?:!doctype html|" + _TAGS + rb")[ >])", re.IGNORECASE
)

# A tenth of random bytes are such controls; text with stray controls has a few in a thousand. 5 % is chosen between the
# two. Backspace and escape do not count, because terminal output is full of them. 16 is chosen so that a short text
# with stray controls never counts as binary.
_MAX_CONTROL_SHARE: Final = 0.05  # of all characters
_MIN_CONTROLS: Final = 16  # characters
_CONTROLS: Final = bytes((*range(0x08), *range(0x0E, 0x1B), *range(0x1C, 0x20)))  # in UTF-8 no other character has them
_UNKNOWN: Final = "\ufffd"
_UNKNOWN_EXTRA: Final = 2  # bytes that U+FFFD takes more in UTF-8 than a letter of ASCII, at least
_ESCAPE_EXTRA: Final = 5  # bytes that a control takes more in JSON than elsewhere: RFC 8259, section 7, \u0000


def file_kind(body: bytes) -> str | None:
    """Returns the kind of file that the first bytes of `body` show, such as `PDF`, or None if the kind is unknown."""
    return next((kind for start, kind in _BEGINNINGS if body.startswith(start)), None)


def looks_like_html(body: bytes) -> bool:
    """Returns True if `body` begins with an element of HTML: the WHATWG MIME Sniffing Standard, section 7.1."""
    return _HTML.match(body) is not None


def is_binary(text: str, in_json: int | None = None) -> bool:
    """Returns True if `text` is a binary file read as text: more than 5 % of it, and 16 or more, are controls.

    NULs at its end do not count: files are padded with them. `in_json` is the size in bytes of JSON that held the text,
    where that is known: few bytes have room for few controls, which then need not be counted.
    """
    text = text.rstrip("\0")
    most = max(_MIN_CONTROLS - 1, int(_MAX_CONTROL_SHARE * len(text)))
    if in_json is not None and (in_json - len(text)) // _UNKNOWN_EXTRA <= most:
        return False
    most -= text.count(_UNKNOWN)
    if in_json is not None and (in_json - len(text)) // _ESCAPE_EXTRA <= most:
        return False
    return _most_controls(text) > most and _controls(text) > most


def _most_controls(text: str) -> int:
    """Returns a number that `text` has no more controls than: text and HTML come to far less than 5 % in this way.

    orjson is several times as fast as counting is, and the job is then encoded in half the time.
    """
    try:
        in_json = len(orjson.dumps(text))
    except orjson.JSONEncodeError:  # a lone surrogate
        return len(text)
    return (in_json - len(text.encode())) // _ESCAPE_EXTRA


def _controls(text: str) -> int:
    encoded = text.encode(errors="surrogatepass")
    return len(encoded) - len(encoded.translate(None, _CONTROLS))
