"""A document's metadata, each with its source."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar

from contract.article import Source

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """A value, where in the document it stood, and how likely it is right, in [0, 1], where that is known."""

    value: T
    source: Source
    confidence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a document says of itself.

    Dates are ISO 8601 or as written, `language` as the document declares it, URLs possibly relative. `candidates` are
    the values that a field's winner beat. `stated_text` is the article's text as the page's own data have it; most
    pages show it, too.
    """

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
    candidates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stated_text: str = ""

    def present(self) -> dict[str, Found[Any]]:
        """Returns by name the fields that have a value."""
        values = ((name, getattr(self, name)) for name in FIELDS)
        return {name: found for name, found in values if found}


FIELDS = tuple(one.name for one in fields(Metadata) if one.name not in {"candidates", "stated_text"})
NOTHING_KNOWN = Metadata()
