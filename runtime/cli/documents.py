"""What a person names on the command line, as submissions."""

import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from contract.binary import file_kind
from contract.urls import UrlError, standard_url
from runtime.errors import StartError
from workers.decode import decode

_WITH_SCHEME = re.compile(r"\s*https?:", re.IGNORECASE)
_BARE = re.compile(r"[^\s/\\.][^\s/\\]*\.[^\s/\\.]|localhost\b")
# A bare name that ends so is a file that is missing, though a few of these are top-level domains, too.
_FILE_SUFFIX = re.compile(r"^[^/\\]+\.(?:html?|xhtml|txt|md|pdf|docx?|odt|rtf|zip|jsonl?|csv|xml|eml)$", re.IGNORECASE)
_HTML_SUFFIXES = {".html", ".htm", ".xhtml"}


def submission_of(target: str, origin: str | None = None) -> dict[str, Any]:
    """Returns the submission fields of `target`: a file (HTML by its suffix, else text), a URL, or - for stdin.

    A file that exists wins over a URL of that name. A URL may lack its scheme, which then is https.

    Raises:
        StartError: the file cannot be read or is no text, or the name is neither a file nor a URL.
    """
    if target != "-" and not _exists(target):
        return {"url": _url(target)}
    kind = "html" if Path(target).suffix.lower() in _HTML_SUFFIXES else "text"
    return {kind: _decoded(target, read(target))} | ({"url": origin} if origin else {})


def read(target: str) -> bytes:
    """Returns the bytes of a file, or of standard input for -.

    Raises:
        StartError: the file cannot be read.
    """
    try:
        return sys.stdin.buffer.read() if target == "-" else Path(target).read_bytes()
    except OSError as error:
        raise StartError(f"{target}: {error.strerror}") from None


def _decoded(target: str, body: bytes) -> str:
    if kind := file_kind(body):
        raise StartError(f"{target}: looks like {kind}, which is no text: extract its text first")
    return decode(body, None).text


def _exists(target: str) -> bool:
    try:
        return Path(target).exists()
    except (OSError, ValueError):  # too long for a name, or with a null character
        return False


def _url(target: str) -> str:
    """Returns `target` as a URL. A bare name has a dot or is localhost, so that a missing `notes` is no URL."""
    if _WITH_SCHEME.match(target):
        return target  # what is wrong with it, if anything, is told with the other faults of the submission
    if _BARE.match(target) and not _FILE_SUFFIX.search(target):
        with suppress(UrlError):
            return standard_url(f"https://{target}")
    raise StartError(f"{target}: no such file, and not a URL")
