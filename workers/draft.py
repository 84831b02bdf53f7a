"""What a reader (of HTML, of pasted text) hands to normalisation: text and metadata, each with its source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from contract.article import Removed, Source

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """A value, and where in the document it stood."""

    value: T
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An article as its reader found it: not yet normalised, the caller's word not yet heard.

    `text` has paragraphs separated by blank lines, list items as `- item`. Dates are ISO 8601 or as written,
    `language` as the document declares it, URLs possibly relative. `candidates` are the values that a field's winner
    beat.
    """

    text: str
    title: Found[str] | None = None
    authors: Found[tuple[str, ...]] | None = None
    published: Found[str] | None = None
    modified: Found[str] | None = None
    language: Found[str] | None = None
    site_name: Found[str] | None = None
    canonical_url: Found[str] | None = None
    description: Found[str] | None = None
    image: Found[str] | None = None
    license: Found[str] | None = None
    categories: Found[tuple[str, ...]] | None = None
    tags: Found[tuple[str, ...]] | None = None
    removed: tuple[Removed, ...] = ()
    candidates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
