"""Determines the media type of an answer from its header and bytes, and the reader for it. Pure.

Follows the WHATWG's MIME Sniffing Standard, except among types that are refused anyway.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from contract.reasons import Reason
from workers.failures import Failed


class Reader(StrEnum):
    """The reader that makes a draft of a page."""

    HTML = "html"
    TEXT = "text"


READERS: Final[Mapping[str, Reader]] = {
    "text/html": Reader.HTML,
    "application/xhtml+xml": Reader.HTML,
    "text/plain": Reader.TEXT,
    "text/markdown": Reader.TEXT,
    "text/x-markdown": Reader.TEXT,
}
"""Every accepted media type with its reader. To support another type, add a line here and a reader."""

_UNKNOWN = {"", "unknown/unknown", "application/unknown", "*/*"}  # MIME Sniffing, section 7
_XML = {"text/xml", "application/xml"}
_MAGIC = (
    (b"%PDF-", "application/pdf"),
    (b"%!PS-Adobe-", "application/postscript"),
    (b"{\\rtf", "application/rtf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"\x7fELF", "application/x-elf"),
    (b"ID3", "audio/mpeg"),
    (b"OggS\x00", "application/ogg"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
)
_LATER_MAGIC = ((8, b"WEBP", "image/webp"), (8, b"WAVE", "audio/wav"), (4, b"ftyp", "video/mp4"))
_ANY_MAGIC = tuple(magic for magic, _ in _MAGIC)
_ROOTS = {
    b"html": "application/xhtml+xml",
    b"rss": "application/rss+xml",
    b"feed": "application/atom+xml",
    b"rdf:rdf": "application/rdf+xml",
    b"svg": "image/svg+xml",
}
_FEEDS = {"application/rss+xml", "application/atom+xml", "application/rdf+xml"}
_HTML_STARTS = (b"<!doctype html", b"<html", b"<head", b"<body", b"<!--", b"<title", b"<meta", b"<h1", b"<p>", b"<div")
_PLAIN_HTML = (b"<!doctype html", b"<!DOCTYPE html", b"<!DOCTYPE HTML", b"<html")  # these need no sniffing
_ROOT = re.compile(rb"<([a-z][\w:.-]{0,40})")
_BINARY = bytes([*range(0x09), 0x0B, *range(0x0E, 0x1B), *range(0x1C, 0x20)])  # MIME Sniffing, section 3
_UTF16_BOMS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_SPACE = b" \t\r\n\x0c"
_SNIFFED_BYTES = 1445  # MIME Sniffing, section 5.2
_SHOWN_CHARS = 100  # RFC 6838 section 4.2 lets a type have 127 + 1 + 127, those in use are shorter


def essence(content_type: str) -> str:
    """Returns the media type of a Content-Type, lower-case and without parameters, of no more than 100 characters."""
    return content_type.partition(";")[0].strip().lower()[:_SHOWN_CHARS]


def check_declared(media_type: str) -> str:
    """Returns the declared `media_type`, as from `essence`; empty if the bytes decide.

    Raises:
        Failed: UNSUPPORTED_MEDIA_TYPE; no reader accepts it, whatever the bytes are.
    """
    if media_type in _UNKNOWN:
        return ""
    if media_type not in READERS and media_type not in _XML:
        raise _refused(media_type)
    return media_type


def media_type_of(declared: str, body: bytes) -> str:
    """Returns the media type of `body`, a key of `READERS`. `declared` comes from `check_declared`.

    Raises:
        Failed: UNSUPPORTED_MEDIA_TYPE, with the media type.
    """
    if declared == "text/html" and body.startswith(_PLAIN_HTML):
        return declared
    start = _start(body)
    media_type = _by_magic(body) or _by_markup(declared, start) or declared or _text_or_binary(body)
    if READERS.get(media_type) is Reader.TEXT and body[:2] not in _UTF16_BOMS and _is_binary(body):
        media_type = "application/octet-stream"
    if media_type not in READERS:
        raise _refused(media_type)
    return media_type


def _start(body: bytes) -> bytes:
    """Returns the beginning of `body` in lower case, UTF-16 as ASCII, without byte order mark and white space."""
    start = body[:_SNIFFED_BYTES]
    if encoding := _UTF16_BOMS.get(start[:2]):
        start = start[2:].decode(encoding, "ignore").encode("ascii", "replace")
    return start.removeprefix(b"\xef\xbb\xbf").lstrip(_SPACE).lower()


def _by_magic(body: bytes) -> str | None:
    if body.startswith(_ANY_MAGIC):
        return next(media_type for magic, media_type in _MAGIC if body.startswith(magic))
    for offset, magic, media_type in _LATER_MAGIC:
        if body.startswith(magic, offset) and _is_binary(body):
            return media_type
    return None


def _by_markup(declared: str, start: bytes) -> str | None:
    """Returns the type of marked-up text if the header leaves it open, or calls a feed HTML."""
    if declared in READERS and not (declared == "text/html" and start.startswith((b"<?xml", b"<rss", b"<feed"))):
        return None
    if declared == "" and start.startswith(_HTML_STARTS):
        return "text/html"
    if declared == "" and not start.startswith((b"<?xml", b"<rss", b"<feed", b"<rdf:rdf", b"<svg")):
        return None
    root = _ROOT.search(start)
    found = _ROOTS.get(root[1] if root else b"", "application/xml")
    return found if declared != "text/html" or found in _FEEDS else declared


def _text_or_binary(body: bytes) -> str:
    if body[:2] in _UTF16_BOMS or not _is_binary(body):
        return "text/plain"
    return "application/octet-stream"


def _is_binary(body: bytes) -> bool:
    start = body[:_SNIFFED_BYTES]
    return len(start.translate(None, _BINARY)) != len(start)


def _refused(media_type: str) -> Failed:
    return Failed(Reason.UNSUPPORTED_MEDIA_TYPE, media_type)
