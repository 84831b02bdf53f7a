"""What a subscriber reads: the article of a processed document, and the failure of one that is not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from contract.job import Attempt, Kind
from contract.reasons import Reason


class Source(StrEnum):
    """Where a metadata field came from."""

    CALLER = "caller"  # the submission said so
    JSON_LD = "json-ld"
    OPENGRAPH = "opengraph"
    META = "meta"  # other <meta> and <link> elements, and <title>
    MARKUP = "markup"  # elements of the page itself: h1, time, itemprop, rel
    TEXT = "text"  # the words of the text
    URL = "url"
    HEURISTIC = "heuristic"  # a library's guess over the whole page


@dataclass(frozen=True, slots=True)
class Removed:
    """A piece of pasted text that is not in the article, and the rule that took it."""

    text: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """How a URL was fetched. `redirects` are the URLs on the way, `size` is in bytes after decompression."""

    url: str
    status: int
    media_type: str
    redirects: tuple[str, ...] = ()
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """How a result came about.

    `charset` is what the bytes were decoded with; `language_confidence` lies in [0, 1]; `timings` are seconds by
    stage; `versions` are of the packages that decided; `candidates` are values that a metadata field's winner beat;
    `history` are the attempts before the last.
    """

    fetch: Fetched | None = None
    charset: str | None = None
    language_confidence: float | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    candidates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    history: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """A clean article with its metadata.

    `text` holds paragraphs separated by one blank line, list items as `- item`. `published` and `modified` are ISO
    8601, `language` BCP 47, `reading_time_s` seconds, `content_sha256` the hex digest of `text` in UTF-8, `simhash` 16
    hex digits. `field_sources` names, for each metadata field that has a value, where it came from.
    """

    id: str
    kind: Kind
    labels: Mapping[str, str] = field(default_factory=dict)
    url: str | None = None
    canonical_url: str | None = None
    host: str | None = None
    site_name: str | None = None
    title: str | None = None
    authors: tuple[str, ...] = ()
    published: str | None = None
    modified: str | None = None
    language: str | None = None
    description: str | None = None
    image: str | None = None
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    license: str | None = None
    text: str
    excerpt: str
    word_count: int
    char_count: int
    reading_time_s: int
    content_sha256: str
    simhash: str
    field_sources: Mapping[str, Source] = field(default_factory=dict)
    removed: tuple[Removed, ...] = ()
    provenance: Provenance = Provenance()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A document that did not become an article: why, and after how many attempts."""

    id: str
    kind: Kind | None
    reason: Reason
    detail: str
    attempts: int
    labels: Mapping[str, str] = field(default_factory=dict)
    url: str | None = None
    provenance: Provenance = Provenance()
