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


class PageKind(StrEnum):
    """What sort of page it is, as it looks; `other` where none fits."""

    ARTICLE = "article"
    FORUM = "forum"
    PRODUCT = "product"
    LISTING = "listing"
    DOCUMENTATION = "documentation"
    OTHER = "other"


class Flag(StrEnum):
    """Something about an article that who uses it should know."""

    SHORT = "short"
    CONSENT_WALL = "consent_wall"  # the page asks for consent before it shows all of itself
    PAYWALL = "paywall"  # the text is, or may be, cut off for who has not paid
    LIST_PAGE = "list_page"  # more teasers than text
    NOT_AN_ARTICLE = "not_an_article"  # another kind of page
    MIXED_LANGUAGES = "mixed_languages"
    REPETITIVE = "repetitive"


@dataclass(frozen=True, slots=True)
class Quality:
    """How good the text is likely to be.

    `confidence` in [0, 1] is the F1 expected of the text against what a person would take for it, None where nothing
    is known.
    """

    confidence: float | None = None
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True)
class Removed:
    """A piece of pasted text that is not in the article, and the rule that took it."""

    text: str
    rule: str


class CharsetSource(StrEnum):
    """How the charset of a page was found, in the order in which they are asked."""

    BOM = "bom"
    HTTP = "http"
    META = "meta"
    XML = "xml"
    DETECTED = "detected"  # by what the bytes are valid in, and look like
    DEFAULT = "default"  # windows-1252, as nothing better fits


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """How a URL was fetched, or how far that came where it failed.

    `url` is the one asked for last, `status` and `media_type` are of its answer, None where there was none or it
    declared none; `redirects` are the URLs on the way, pages that refresh to another included, and `redirect_statuses`
    what each answered. `size` is in bytes after decompression, `transferred_bytes` as it was sent, of the last answer's
    body as far as it was read; `first_byte_s` the seconds from the last request to its answer's header, `total_s` those
    of all requests, without what was waited in between for hosts.
    """

    url: str
    status: int | None
    media_type: str | None
    redirects: tuple[str, ...] = ()
    redirect_statuses: tuple[int, ...] = ()
    size: int = 0
    transferred_bytes: int = 0
    first_byte_s: float | None = None
    total_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """How a result came about.

    `charset` is what the bytes were decoded with, `charset_source` how it was found; `language_confidence` lies in
    [0, 1]; `timings` are seconds by stage; `versions` are of the packages that decided; `confidence` in [0, 1] is
    how sure each metadata field is, where that is known; `candidates` are values that a metadata field's winner
    beat; `history` are the attempts before the last.
    """

    fetch: Fetched | None = None
    charset: str | None = None
    charset_source: CharsetSource | None = None
    language_confidence: float | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    confidence: Mapping[str, float] = field(default_factory=dict)
    candidates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    history: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What was submitted, and what is known of it beside its text.

    `kind` (None where the job could not be read), `labels` and `url` are as submitted. `published` and `modified` are
    ISO 8601, `language` is BCP 47.
    """

    id: str
    kind: Kind | None
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Article(Document):
    """A clean article with its metadata.

    `text` holds paragraphs separated by one blank line, list items as `- item`. `reading_time_s` are seconds,
    `content_sha256` is the hex digest of `text` in UTF-8, `simhash` 16 hex digits. `markdown`, `html` (sanitised) and
    `comments` (text of readers' comments) are there where the caller asked for them and the page has them; their links
    are absolute. `page_kind` and `quality` are judgements. `field_sources` names, for each metadata field that has a
    value, where it came from.
    """

    kind: Kind
    text: str
    markdown: str | None = None
    html: str | None = None
    comments: str | None = None
    excerpt: str
    word_count: int
    char_count: int
    reading_time_s: int
    content_sha256: str
    simhash: str
    page_kind: PageKind | None = None
    quality: Quality = Quality()
    field_sources: Mapping[str, Source] = field(default_factory=dict)
    removed: tuple[Removed, ...] = ()
    provenance: Provenance = Provenance()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure(Document):
    """A document that did not become an article: why, and after how many attempts.

    A page that was read and then refused has metadata, too; its language is the one it declares.
    """

    reason: Reason
    detail: str
    attempts: int
    field_sources: Mapping[str, Source] = field(default_factory=dict)
    provenance: Provenance = Provenance()
