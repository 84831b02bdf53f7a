"""What a person names on the command line, as submissions."""

import sys
from pathlib import Path
from typing import Any

from runtime.errors import StartError

_HTML_SUFFIXES = {".html", ".htm", ".xhtml"}


def submission_of(target: str, origin: str | None = None) -> dict[str, Any]:
    """Returns the submission fields of `target`: a URL, a file (HTML by its suffix, else text), or - for stdin.

    Raises:
        StartError: the file cannot be read, or is not UTF-8.
    """
    if target.startswith(("http://", "https://")):
        return {"url": target}
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
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StartError(f"{target}: not UTF-8 (byte {error.start})") from None
