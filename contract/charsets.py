"""Bytes of a document as text: what a decoder returns, and how it found the charset."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class CharsetSource(StrEnum):
    """How the charset of a document was found. Members are in the order in which the sources are tried."""

    BOM = "bom"
    HTTP = "http"
    META = "meta"
    XML = "xml"
    DETECTED = "detected"  # guessed from the bytes
    DEFAULT = "default"  # windows-1252, because nothing else fits


@dataclass(frozen=True, slots=True)
class Decoded:
    """Decoded text, the WHATWG name of its charset, and how the charset was found."""

    text: str
    charset: str
    source: CharsetSource


Decode = Callable[[bytes, str | None], Decoded]
"""Takes bytes and the charset that HTTP declares, if it declares one. Never fails."""
