"""Resolves the targets of a command: URLs, files, or standard input."""

import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from contract.job import Kind
from contract.urls import UrlError, standard_url
from runtime.cli.checks import is_utf8
from runtime.errors import StartError

_WITH_SCHEME = re.compile(r"\s*https?:", re.IGNORECASE)
_BARE = re.compile(r"[^\s/\\.][^\s/\\]*\.[^\s/\\.]|localhost\b")
# A bare name with such an ending counts as a missing file, although a few of these are top-level domains, too.
_FILE_SUFFIX = re.compile(r"^[^/\\]+\.(?:html?|xhtml|txt|md|pdf|docx?|odt|rtf|zip|jsonl?|csv|xml|eml)$", re.IGNORECASE)
_HTML_SUFFIXES = {".html", ".htm", ".xhtml"}


@dataclass(frozen=True, slots=True)
class Named:
    """A resolved target. `body` is the content of a file or of standard input, None for a URL to fetch."""

    kind: Kind
    url: str | None = None
    body: bytes | None = None


def named(target: str, origin: str | None = None) -> Named:
    """Resolves `target`: a file (HTML by its suffix, else text), a URL, or - for standard input.

    A file takes precedence over a URL of the same name. The default scheme of a URL is https. `origin` is the URL
    that a file or standard input came from.

    Raises:
        StartError: the file cannot be read, `target` is neither a file nor a URL, or a URL is not UTF-8.
    """
    if not is_utf8(origin or ""):
        raise StartError("--origin must be UTF-8")
    if not target:
        raise StartError("an empty argument is neither a file nor a URL")
    if target != "-" and not _exists(target):
        return Named(Kind.URL, _url(target))
    kind = Kind.HTML if Path(target).suffix.lower() in _HTML_SUFFIXES else Kind.TEXT
    return Named(kind, origin, _read(target))


def _read(target: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if target == "-" else Path(target).read_bytes()
    except OSError as error:
        raise StartError(f"{target}: {error.strerror}") from None


def _exists(target: str) -> bool:
    try:
        return Path(target).exists()
    except (OSError, ValueError):  # too long for a file name, or with a null character
        return False


def _url(target: str) -> str:
    """Returns `target` as a URL. Without a scheme it must have a dot or be localhost, unlike a missing file `notes`."""
    if not is_utf8(target):
        raise StartError(f"{target}: no such file, and a URL must be UTF-8")
    if _WITH_SCHEME.match(target):
        return target  # its faults, if any, are reported with the other faults of the submission
    if _BARE.match(target) and not _FILE_SUFFIX.search(target):
        with suppress(UrlError):
            return standard_url(f"https://{target}")
    raise StartError(f"{target}: no such file, and not a URL")
