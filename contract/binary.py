"""Tells files that are no plain text or HTML from text with a few odd characters in it."""

import re
from typing import Final

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


def file_kind(body: bytes) -> str | None:
    """Returns the kind of file that the first bytes of `body` show, such as `PDF`, or None if the kind is unknown."""
    return next((kind for start, kind in _BEGINNINGS if body.startswith(start)), None)


def looks_like_html(body: bytes) -> bool:
    """Returns True if `body` begins with an element of HTML: the WHATWG MIME Sniffing Standard, section 7.1."""
    return _HTML.match(body) is not None


def is_binary(text: str) -> bool:
    """Returns True if `text` is a binary file read as text: more than 5 % of it, and 16 or more, are controls.

    NULs at its end do not count: files are padded with them.
    """
    text = text.rstrip("\0")
    encoded = text.encode(errors="surrogatepass")
    # Two to six times as fast as a regular expression, and every document passes through here.
    controls = len(encoded) - len(encoded.translate(None, _CONTROLS)) + text.count(_UNKNOWN)
    return controls >= _MIN_CONTROLS and controls > _MAX_CONTROL_SHARE * len(text)
