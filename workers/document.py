"""A document before parsing, and its own metadata. Any process may import this module: it loads no parser or model."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar

from contract.article import Fetched, Source
from contract.job import Job

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RawDocument:
    """A document before parsing.

    `content` is bytes as fetched, or text as submitted. `url` is the one after redirects, or the one submitted
    with it. `charset` is what HTTP declared.
    """

    job: Job
    content: str | bytes
    is_html: bool
    url: str | None = None
    charset: str | None = None
    fetched: Fetched | None = None


@dataclass(frozen=True, slots=True)
class Sourced(Generic[T]):
    """A value, its place in the document, and the probability in [0, 1] that it is right, None if unknown."""

    value: T
    source: Source
    confidence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The metadata in a document.

    Dates are ISO 8601 or as written, `language` as the document declares it, URLs possibly relative. `candidates` are
    the values that a field's winner beat. `article_body` is the article's text as the page's JSON-LD has it; most
    pages show it, too.
    """

    title: Sourced[str] | None = None
    kicker: Sourced[str] | None = None
    authors: Sourced[tuple[str, ...]] | None = None
    published: Sourced[str] | None = None
    modified: Sourced[str] | None = None
    language: Sourced[str] | None = None
    site_name: Sourced[str] | None = None
    canonical_url: Sourced[str] | None = None
    description: Sourced[str] | None = None
    image: Sourced[str] | None = None
    license: Sourced[str] | None = None
    categories: Sourced[tuple[str, ...]] | None = None
    tags: Sourced[tuple[str, ...]] | None = None
    candidates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    article_body: str = ""

    def present(self) -> dict[str, Sourced[Any]]:
        """Returns the fields that have a value, by name."""
        values = ((name, getattr(self, name)) for name in FIELDS)
        return {name: sourced for name, sourced in values if sourced}


FIELDS = tuple(one.name for one in fields(Metadata) if one.name not in {"candidates", "article_body"})
NOTHING_KNOWN = Metadata()
