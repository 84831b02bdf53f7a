"""Tells files that are no plain text or HTML from text with a few odd characters in it."""

import re
from typing import Final

# How files of a kind begin, as the formats' own specifications and the WHATWG MIME Sniffing Standard say.
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

# Of random bytes a tenth are such controls; text with stray ones has a few in a thousand. Backspace and escape are left
# out: terminal output is full of them. A short text with stray controls is never taken for a binary file.
_MAX_CONTROL_SHARE: Final = 0.05
_MIN_CONTROLS: Final = 16
_CONTROL = re.compile("[\x00-\x07\x0e-\x1a\x1c-\x1f\ufffd]")


def file_kind(body: bytes) -> str | None:
    """Returns the kind of file that `body` begins like, as `PDF`, or None if that is none of those known here."""
    return next((kind for start, kind in _BEGINNINGS if body.startswith(start)), None)


def is_binary(text: str) -> bool:
    """Tells whether `text` is a binary file read as text: more than 5 % of it, and 16 or more, are controls.

    NULs at its end do not count: files are padded with them.
    """
    text = text.rstrip("\0")
    controls = sum(1 for _ in _CONTROL.finditer(text))
    return controls >= _MIN_CONTROLS and controls > _MAX_CONTROL_SHARE * len(text)
