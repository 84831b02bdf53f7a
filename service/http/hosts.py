"""Checks the Host of requests against the known names of this server: the defence against DNS rebinding.

A web page can make its own name resolve to 127.0.0.1. Its requests then reach this server with that name in Host, and
the browser lets the page read the answers, because they seem to come from the page's own site. Host reveals them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from service import problems
from service.refusals import Problem, ProblemError

# RFC 3986, section 3.2.2, without characters that occur in neither DNS names nor addresses.
_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]{2,45})\]|(?P<name>[A-Za-z0-9._~!$&'()*+,;=%-]{1,255}))(?::[0-9]{0,5})?")
_ANY_NAME: Final = "*"
_WILDCARDS: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - no client can use these as an address

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Hosts:
    """The names that requests to a port may use: those of this machine, and those of the settings.

    Attributes:
        names: such as `desk.example.com`, `.example.com` for every name below it, or `*` for any name.
        addresses: accept any IP address, and a request without Host. For ports that clients reach by address. It is
            safe, because only names can be rebound: an address in Host is the one that the client connected to.
    """

    names: frozenset[str] = frozenset()
    addresses: bool = False

    @classmethod
    def of(cls, listen: str, names: Iterable[str], *, addresses: bool = False) -> "Hosts":
        """Returns the hosts for `names` and `listen`, the name or address that the port listens on."""
        given = {_plain(name) for name in names}
        return cls(frozenset(given | ({_plain(listen)} - _WILDCARDS)), addresses)

    def knows(self, host: str, local: Address | None = None) -> bool:
        """Returns True if `host`, a name or an address without a port, is known for this server.

        `local` is the local address of the connection.
        """
        plain = _plain(host)
        address = _address(plain)
        if address is not None:
            return self.addresses or address.is_loopback or address == local or str(address) in self.names
        return (
            plain == "localhost"
            or plain.endswith(".localhost")  # RFC 6761, section 6.3: loopback, always
            or plain in self.names
            or any(name.startswith(".") and plain.endswith(name) for name in self.names)
            or _ANY_NAME in self.names
        )


HOSTS: web.AppKey[Hosts | None] = web.AppKey("HOSTS")
"""None: any name is accepted."""


@web.middleware
async def serve_known_hosts(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses a request whose Host is not a known name of this server.

    A target in absolute form takes precedence over Host (RFC 9112, section 3.2.2); both must be names of this server.
    """
    stated = request.headers.get(hdrs.HOST)
    if stated is not None:
        _check(request, stated)
    elif not _accepts_no_host(request):
        raise ProblemError(Problem(problems.FOREIGN_HOST, problems.FOREIGN_HOST.meaning))
    if not request.raw_path.startswith(("/", "*")):
        _check(request, _bracketed(request.host))  # in aiohttp this is the host of the target
    return await handler(request)


def _accepts_no_host(request: web.Request) -> bool:
    hosts = request.app[HOSTS]
    return hosts is None or hosts.addresses


def _check(request: web.Request, authority: str) -> None:
    parsed = _HOST.fullmatch(authority)
    if parsed is None or (parsed["v6"] and _address(parsed["v6"]) is None):
        raise ProblemError(Problem(problems.BAD_REQUEST, "The Host header or the target's host is malformed."))
    hosts = request.app[HOSTS]
    if hosts is not None and not hosts.knows(parsed["v6"] or parsed["name"], _local(request)):
        raise ProblemError(Problem(problems.FOREIGN_HOST, problems.FOREIGN_HOST.meaning))


def _local(request: web.Request) -> Address | None:
    name = request.get_extra_info("sockname")
    return _address(str(name[0])) if isinstance(name, tuple) else None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _plain(name: str) -> str:
    return name.strip().removeprefix("[").removesuffix("]").lower().removesuffix(".")


@lru_cache(maxsize=256)  # bounded, because clients choose the names; most of them send the same few
def _address(name: str) -> Address | None:
    try:
        address = ip_address(name)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
