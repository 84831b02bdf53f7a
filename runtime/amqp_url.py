"""Checks AMQP URLs, so that the process refuses a wrong one at start and says what is wrong."""

from yarl import URL

_MAX_HEARTBEAT_S = 65_534  # aiormq disables heartbeats for larger values, and for values that are not numbers
_SHAPE = "it must look like amqp://user:password@host:5672/vhost, or amqps:// for TLS"


def fault_of(url: str) -> str | None:
    """Returns what is wrong with an AMQP URL, without repeating the URL, or None if it is right."""
    if not url.isprintable() or " " in url:  # yarl removes line breaks silently
        return f"it holds a space or a line break; {_SHAPE}"
    try:
        parsed = URL(url)
        _ = parsed.port
    except ValueError:
        return f"{_SHAPE}; characters as / # @ : in user or password are written as %2F %23 %40 %3A"
    fault = _fault_of_parts(parsed)
    return fault and f"{fault}; {_SHAPE}"


def _fault_of_parts(parsed: URL) -> str | None:
    if parsed.scheme not in {"amqp", "amqps"}:
        return "it does not begin with amqp:// or amqps://"
    try:
        if not parsed.host:
            return "it names no host"
    except ValueError:  # the client library decodes the host in the same way
        return "its host is no name that DNS can hold"
    if parsed.password and not parsed.user:
        return "it has a password and no user"
    if parsed.fragment:
        return "it holds a #, which is written as %23"
    return None if _is_heartbeat(parsed.query.get("heartbeat", "0")) else "its heartbeat is no number of seconds"


def _is_heartbeat(value: str) -> bool:
    """Returns True for a whole number of seconds. 0 asks for no heartbeat."""
    return value.isascii() and value.isdecimal() and int(value) <= _MAX_HEARTBEAT_S
