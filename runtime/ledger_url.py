"""Checks URLs of the ledger's database, so that a process refuses a wrong one at start and says what is wrong."""

from pathlib import Path

from yarl import URL

_SHAPE = "it must look like postgresql://user:password@host/database, or sqlite:///PATH"
_SQLITE = "sqlite:///"
_SSL_MODES = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})  # libpq's and asyncpg's
_OPTIONS = ("sslmode", "host", "passfile", "target_session_attrs")  # `host` is the folder of a socket


def fault_of(url: str) -> str | None:
    """Returns what is wrong with the URL of a ledger, without repeating the URL, or None if it is right."""
    if url.startswith("sqlite:"):
        return _fault_of_sqlite(url)
    if not url.isprintable() or " " in url:  # yarl removes line breaks silently
        return f"it holds a space or a line break; {_SHAPE}"
    try:
        parsed = URL(url)
        _ = parsed.port
    except ValueError:
        return f"{_SHAPE}; characters as / # @ : in user or password are written as %2F %23 %40 %3A"
    if parsed.scheme not in {"postgresql", "postgres"}:
        return f"it does not begin with postgresql:// or sqlite:///; {_SHAPE}"
    return _fault_of_postgresql(parsed)


def _fault_of_sqlite(url: str) -> str | None:
    path = url.removeprefix(_SQLITE)
    if not url.startswith(_SQLITE) or not path.isprintable() or not path:
        return f"it names no file; {_SHAPE}"
    if "?" in path or path.startswith(":"):
        return "it must name a file after sqlite:///, without a ?, and not :memory:"
    if Path(path).is_dir():
        return "the file that it names is a folder"
    if not Path(path).parent.is_dir():
        return "the folder of the file that it names is not there"
    return None


def _fault_of_postgresql(url: URL) -> str | None:
    unknown = set(url.query) - set(_OPTIONS)
    if not url.host and "host" not in url.query:
        return f"it names no host; {_SHAPE}"
    if not url.path.strip("/"):
        return f"it names no database; {_SHAPE}"
    if url.fragment:
        return f"it holds a #, which is written as %23; {_SHAPE}"
    if unknown:
        return f"behind the ? only {', '.join(_OPTIONS)} are known"
    if url.query.get("sslmode", "prefer") not in _SSL_MODES:
        return f"sslmode must be one of {', '.join(sorted(_SSL_MODES))}"
    return None
