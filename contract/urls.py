"""URLs as browsers read them (WHATWG URL Standard). Intake and fetcher both use this one parser."""

import re
from ipaddress import AddressValueError, IPv6Address

_HOST_NAME = re.compile(r"(?=.{1,254}\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
_ZONE = re.compile(r"[/\\][^/\\?#\[]*\[[^\]/\\?#]*%")


class UrlError(ValueError):
    """The text is not a URL that can be fetched. `rule` names the broken rule, the message says what to do."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


def standard_url(text: str, base: str | None = None) -> str:
    """Returns the normal form of the http or https URL `text`, which may be relative to `base`.

    White space around it and line breaks in it are removed, other characters are percent-encoded, scheme and host
    become lower case, host names become ASCII (IDNA), and IPv4 addresses in any notation become dotted.

    Raises:
        UrlError: not such a URL, or one with a user name, a password or port 0.
    """
    from ada_url import URL  # noqa: PLC0415 - takes 0.8 MB, which the first URL needs and an idle server does not

    try:
        url = URL(text.encode("utf-8", "replace").decode(), base=base)
    except ValueError:
        raise _unreadable(text, base) from None
    if url.protocol not in {"http:", "https:"}:
        raise UrlError("url_scheme", "must be an absolute URL that starts with http:// or https://")
    if url.username or url.password:
        raise UrlError("url_userinfo", "must not hold a user name or password")
    if not _names_host(url.hostname):
        raise UrlError("url_host", "must name a host")
    if url.port == "0":
        raise UrlError("url_port", "must not name port 0")
    if not url.search:
        url.search = ""  # removes the ? of an empty query, because yarl requests the URL without it
    return str(url.href)


def _unreadable(text: str, base: str | None) -> UrlError:
    if base is None and not re.match(r"[\s\x00-\x20]*https?:", text, re.IGNORECASE):
        return UrlError("url_scheme", "must be an absolute URL that starts with http:// or https://")
    if _ZONE.search(text):
        return UrlError("url_zone", "must not name an IPv6 address with a zone: it is on a link of one machine")
    return UrlError("url_invalid", "is not a URL: its host or its port cannot be read")


def _names_host(host: str) -> bool:
    if _HOST_NAME.fullmatch(host):
        return True
    try:
        return host.startswith("[") and bool(IPv6Address(host[1:-1]))
    except AddressValueError:
        return False
