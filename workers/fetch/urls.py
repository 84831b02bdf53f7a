"""URLs as they are asked for: http or https, a host in one notation, nobody's password. Pure."""

import re
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import unquote

from yarl import URL

from contract.reasons import Reason
from workers.failures import Failed

# RFC 1035 section 2.3.4: 63 characters a label, 253 in all, and the dot of an absolute name.
_NAME = re.compile(r"(?=.{1,254}\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?", re.DOTALL)
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_PLAIN_IPV4 = re.compile(rf"{_BYTE}(?:\.{_BYTE}){{3}}", re.ASCII)
_AMP_CACHE = re.compile(r"/[a-z]/(s/)?(.+)")  # as /c/s/example.com/page, /v/ and /i/ alike
_GOOGLE = re.compile(r"www\.google\.[a-z.]{2,6}")
_AMP_VIEWER = re.compile(r"/amp/(s/)?([^/]+\.[^/]+/.*)")


def checked_url(url: str, base: URL | None = None) -> URL:
    """Returns `url`, relative to `base`, without its fragment, its host as it will be dialled.

    A host that stands for an IPv4 address in any notation of the WHATWG's URL standard (host parsing; decimal, octal,
    hexadecimal, short, percent-encoded, full-width) becomes that address.

    Raises:
        Failed: INVALID_URL; not absolute, not http or https, no host, or with a user name or password.
            BLOCKED_ADDRESS; an IPv6 address with a zone, which is on a link of this machine.
    """
    parsed = _parsed(url, base)
    if parsed.scheme not in {"http", "https"} or not parsed.raw_host:
        raise _invalid("not an http or https URL with a host")
    if parsed.raw_user is not None or parsed.raw_password is not None:
        raise _invalid("a URL with a user name or password")
    if parsed.port == 0:
        raise _invalid("a URL with port 0")
    host = _dialled(parsed)
    parsed = parsed if host == parsed.raw_host else parsed.with_host(host)
    return parsed.with_fragment(None) if parsed.raw_fragment else parsed


def publisher_url(url: URL) -> URL:
    """Returns the publisher's own address of a page that `url` names in an AMP cache or viewer, else `url`."""
    host = url.raw_host or ""
    if host.endswith(".cdn.ampproject.org"):
        match = _AMP_CACHE.fullmatch(url.raw_path)
    elif host.startswith("www.google.") and _GOOGLE.fullmatch(host):
        match = _AMP_VIEWER.fullmatch(url.raw_path)
    else:
        return url
    if match is None:
        return url
    query = f"?{url.raw_query_string}" if url.raw_query_string else ""
    return checked_url(f"{'https' if match[1] else 'http'}://{match[2]}{query}")


def _dialled(url: URL) -> str:
    host = url.raw_host or ""
    if ":" in host:
        if "%" in host:
            raise Failed(Reason.BLOCKED_ADDRESS, "an IPv6 address with a zone")
        return _ipv6(host)
    if "%" in host:
        host = _decoded(url, host)
    if _ENDS_IN_NUMBER.fullmatch(host):
        return host if _PLAIN_IPV4.fullmatch(host) else _ipv4(host)
    if _NAME.fullmatch(host) is None:
        raise _invalid("the host is no name")
    return host


def _decoded(url: URL, host: str) -> str:
    try:
        return url.with_host(unquote(host, errors="strict")).raw_host or ""
    except ValueError:
        raise _invalid("the host is no name") from None


def _ipv4(host: str) -> str:
    """Returns the dotted form of an IPv4 address in any notation (WHATWG URL, IPv4 parser)."""
    try:
        *leading, last = [_number(part) for part in host.removesuffix(".").split(".")]
        value = last + sum(number << (8 * (3 - place)) for place, number in enumerate(leading))
        fits = all(number <= 0xFF for number in leading) and last < 256 ** (4 - len(leading))  # noqa: PLR2004 - a byte
        if fits:
            return str(IPv4Address(value))
    except ValueError:
        pass
    raise _invalid("the host ends in a number and is no IPv4 address")


def _ipv6(host: str) -> str:
    try:
        return str(IPv6Address(host))
    except ValueError:
        raise _invalid("the host is no IPv6 address") from None


def _number(text: str) -> int:
    if not text or not text.isascii() or not text.isalnum():
        raise ValueError(text)
    if text.startswith("0x"):
        return int(text[2:] or "0", 16)
    return int(text, 8 if text[0] == "0" else 10)


def _parsed(reference: str, base: URL | None) -> URL:
    try:
        return URL(reference) if base is None else base.join(URL(reference))
    except (ValueError, IndexError):  # yarl raises the latter on `//[]@`
        raise _invalid("not a URL") from None


def _invalid(detail: str) -> Failed:
    return Failed(Reason.INVALID_URL, detail)
