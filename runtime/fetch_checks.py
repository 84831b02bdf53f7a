"""Checks the settings for fetching, so that the process refuses wrong ones at start and names them."""

import ssl
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path

from yarl import URL

from runtime.errors import StartError
from runtime.settings import PREFIX, Settings


def refuse_wrong_fetch_settings(settings: Settings) -> None:
    """Raises StartError, one line with the setting's name, if fetching cannot work with `settings`.

    The proxy's URL may hold a password, so it is not repeated.
    """
    for name, fault in _faults(settings):
        raise StartError(f"settings: {PREFIX}{name.upper()}: {fault}")


def _faults(settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.fetch_proxy and not _is_proxy(settings.fetch_proxy.get_secret_value()):
        yield "fetch_proxy", "it must look like http://proxy:3128, or https:// for TLS"
    for network in settings.fetch_allow_networks:
        if not _is_network(network):
            yield "fetch_allow_networks", f"{network!r} is no network as 10.0.0.0/8"
    for server in settings.fetch_nameservers:
        if not _is_name_server(server):
            yield "fetch_nameservers", f"{server!r} is no IP address as 10.0.0.53 or 10.0.0.53:53"
    fault = _fault_of_authorities(settings.fetch_ca_file)
    if fault:
        yield "fetch_ca_file", fault


def _is_proxy(url: str) -> bool:
    try:
        parsed = URL(url)
        return parsed.scheme in {"http", "https"} and bool(parsed.host) and parsed.port is not None
    except ValueError:
        return False


def _is_network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _is_name_server(text: str) -> bool:
    """Returns True if `text` is an IP address, or one with a port such as 10.0.0.53:53 or [fd00::53]:53."""
    try:
        ip_address(text if text.count(":") > 1 and "[" not in text else URL(f"//{text}").host or "")
    except ValueError:
        return False
    return True


def _fault_of_authorities(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        return f"{path} holds no certificates in PEM format"
    except OSError as error:
        return f"{path}: {error.strerror}"
    return None
