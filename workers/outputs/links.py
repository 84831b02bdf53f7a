"""The URLs of an article's links and images, made absolute."""

from yarl import URL

_WEB = frozenset({"http", "https"})


def link_target(href: str, base: str | None) -> str | None:
    """Returns where a link leads, absolute: http, https or mailto; None for all else, and for a place in the page."""
    target = href.strip()
    if not target or target.startswith("#"):
        return None
    if target[:7].lower() == "mailto:":
        return target
    return web_address(target, base)


def web_address(url: str, base: str | None) -> str | None:
    """Returns `url` made absolute by `base`, or None where that is no http or https URL."""
    try:
        found = URL(url.strip())
        whole = URL(base).join(found) if base else found
    except (ValueError, UnicodeError):
        return None
    return str(whole) if whole.scheme in _WEB and whole.raw_host else None
