"""Limits the characters of outputs to those of XML, and their URLs to absolute http and https URLs."""

import re

from yarl import URL

from workers.normalise.text import C1_LETTERS

_WEB = frozenset({"http", "https"})
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def link_target(href: str, base: str | None) -> str | None:
    """Returns the absolute http, https or mailto URL of a link; None for other schemes, and for a place in the page."""
    target = href.strip()
    if not target or target.startswith("#"):
        return None
    if target[:7].lower() == "mailto:":
        return target
    return web_address(target, base)


def web_address(url: str, base: str | None) -> str | None:
    """Returns `url`, relative to `base`, as an absolute URL, or None if it is not http or https."""
    try:
        found = URL(url.strip())
        whole = URL(base).join(found) if base else found
    except (ValueError, UnicodeError):
        return None
    return str(whole) if whole.scheme in _WEB and whole.raw_host else None


def allowed(text: str) -> str:
    """Returns `text` without the characters that XML 1.0, section 2.2, forbids; character references can bring them.

    DEL is left out, too. C1 controls become the characters of Windows-1252 that are meant, as in an article's text.
    """
    return _NOT_XML.sub("", text).translate(C1_LETTERS)
