"""What one fetch may take, and where it may lead."""

from dataclasses import dataclass
from pathlib import Path

from yarl import URL


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What one fetch may take.

    `connect_timeout_s` is for one connection, name and TLS included; `first_byte_timeout_s` runs from the request to
    the end of the answer's header, connecting included; `idle_timeout_s` is the longest silence within a body;
    `total_timeout_s` spans all redirects, without the waits for admission. `max_transfer_bytes` counts a body as it is
    sent, `max_body_bytes` after decompression.
    """

    connect_timeout_s: float = 10.0
    first_byte_timeout_s: float = 20.0
    idle_timeout_s: float = 10.0
    total_timeout_s: float = 30.0
    max_redirects: int = 10
    max_header_bytes: int = 32 * 1024
    max_transfer_bytes: int = 10 * 1024 * 1024
    max_body_bytes: int = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a fetch may lead, and by which way.

    `allow_networks` (CIDR) may be reached although they are not public, at every port; all other addresses at
    `allow_ports`. `proxy` is the only way out where it is given, `nameservers` (addresses, `:port` optional) are asked
    instead of the system's, `ca_file` (PEM) is trusted beside the system's authorities.
    """

    allow_networks: tuple[str, ...] = ()
    allow_ports: tuple[int, ...] = (80, 443)
    proxy: URL | None = None
    nameservers: tuple[str, ...] = ()
    ca_file: Path | None = None
    user_agent: str = "copydesk"
