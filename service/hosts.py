"""The names that a port answers to: the defence against DNS rebinding.

A page can bind its own name to 127.0.0.1. Its requests then come here with that name in Host, and the browser lets the
page read the answers, because it takes them for answers of the page's own site. Host tells such requests from ours.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from service import problems
from service.problems import Problem, ProblemError

# RFC 3986, section 3.2.2, less what no DNS name and no address holds.
_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]{2,45})\]|(?P<name>[A-Za-z0-9._~!$&'()*+,;=%-]{1,255}))(?::[0-9]{0,5})?")
_ANY_NAME: Final = "*"
_WILDCARDS: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - addresses that are no address to call by

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Hosts:
    """The names that a port answers to: this machine's own, and those of the settings.

    Attributes:
        names: as `desk.example.com`, or `.example.com` for every name below; `*` for any.
        addresses: accept any IP address, and a request without Host. Only names can be rebound: an address in Host is
            the address that the sender connected to. For ports that are reached through a network.
    """

    names: frozenset[str] = frozenset()
    addresses: bool = False

    @classmethod
    def of(cls, listen: str, names: Iterable[str], *, addresses: bool = False) -> "Hosts":
        """Returns `names` and `listen`, the name or address that the port listens on."""
        given = {_plain(name) for name in names}
        return cls(frozenset(given | ({_plain(listen)} - _WILDCARDS)), addresses)

    def know(self, host: str, local: Address | None = None) -> bool:
        """Returns whether `host`, a name or an address without a port, is this server.

        `local` is the connection's address on this machine.
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
    """Refuses a request whose Host is not a name of this server.

    A target in absolute form takes precedence over Host (RFC 9112, section 3.2.2); both must be names of this server.
    """
    stated = request.headers.get(hdrs.HOST)
    if stated is not None:
        _check(request, stated)
    elif not _accepts_no_host(request):
        raise ProblemError(Problem(problems.FOREIGN_HOST, problems.FOREIGN_HOST.meaning))
    if not request.raw_path.startswith(("/", "*")):
        _check(request, _bracketed(request.host))  # aiohttp's name for the target's host
    return await handler(request)


def _accepts_no_host(request: web.Request) -> bool:
    hosts = request.app[HOSTS]
    return hosts is None or hosts.addresses


def _check(request: web.Request, authority: str) -> None:
    parsed = _HOST.fullmatch(authority)
    if parsed is None or (parsed["v6"] and _address(parsed["v6"]) is None):
        raise ProblemError(Problem(problems.BAD_REQUEST, "The Host header or the target's host is malformed."))
    hosts = request.app[HOSTS]
    if hosts is not None and not hosts.know(parsed["v6"] or parsed["name"], _local(request)):
        raise ProblemError(Problem(problems.FOREIGN_HOST, problems.FOREIGN_HOST.meaning))


def _local(request: web.Request) -> Address | None:
    name = request.get_extra_info("sockname")
    return _address(str(name[0])) if isinstance(name, tuple) else None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _plain(name: str) -> str:
    return name.strip().removeprefix("[").removesuffix("]").lower().removesuffix(".")


def _address(name: str) -> Address | None:
    try:
        address = ip_address(name)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
