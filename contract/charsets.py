"""Bytes of a document as text: what a decoder returns, and how it found the charset."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class CharsetSource(StrEnum):
    """How the charset of a document was found, in the order in which they are asked."""

    BOM = "bom"
    HTTP = "http"
    META = "meta"
    XML = "xml"
    DETECTED = "detected"  # by what the bytes are valid in, and look like
    DEFAULT = "default"  # windows-1252, as nothing better fits


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the WHATWG name of the charset that it was read with, and how that was found."""

    text: str
    charset: str
    source: CharsetSource


Decode = Callable[[bytes, str | None], Decoded]
"""Takes bytes and the charset that HTTP declares, if it declares one. Never fails."""
