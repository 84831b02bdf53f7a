"""The data of output events: the article of a processed document, or the failure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from contract.charsets import CharsetSource
from contract.duplicates import DuplicateOf
from contract.idempotency import Idempotency
from contract.job import Attempt, Kind
from contract.reasons import Reason


class Source(StrEnum):
    """Where a metadata field came from."""

    CALLER = "caller"  # the submission
    JSON_LD = "json-ld"
    OPENGRAPH = "opengraph"
    META = "meta"  # other <meta> and <link> elements, and <title>
    MARKUP = "markup"  # elements of the page itself: h1, time, itemprop, rel
    TEXT = "text"  # the words of the text
    URL = "url"
    HEURISTIC = "heuristic"  # a library's guess over the whole page


class PageKind(StrEnum):
    """The estimated kind of a page; `other` if no other kind fits."""

    ARTICLE = "article"
    FORUM = "forum"
    PRODUCT = "product"
    LISTING = "listing"
    DOCUMENTATION = "documentation"
    OTHER = "other"


class PasteKind(StrEnum):
    """The estimated kind of a pasted text; `other` if it has no prose and the form of no other kind."""

    ARTICLE = "article"
    RECIPE = "recipe"
    INSTRUCTIONS = "instructions"
    VERSE = "verse"
    INTERVIEW = "interview"
    CHAT = "chat"  # a transcript of any talk, too
    MAIL = "mail"
    PRESS_RELEASE = "press_release"
    WIRE = "wire"  # an agency's report
    PAPER = "paper"
    LEGAL = "legal"
    TABLE = "table"
    CODE = "code"
    MARKDOWN = "markdown"
    HTML = "html"  # its source
    SUBTITLES = "subtitles"
    ONE_LINER = "one_liner"
    OTHER = "other"


class Flag(StrEnum):
    """A warning to readers about an article."""

    SHORT = "short"
    CONSENT_WALL = "consent_wall"  # the page asks for consent before it shows its text
    PAYWALL = "paywall"  # the text may be cut off for readers who have not paid
    LIST_PAGE = "list_page"  # more teasers than text
    NOT_AN_ARTICLE = "not_an_article"  # another kind of page
    MIXED_LANGUAGES = "mixed_languages"
    REPETITIVE = "repetitive"
    HIDDEN_TEXT = "hidden_text"  # text that the page does not show at once was left out
    TRUNCATED = "truncated"  # the page is longer than what is read of one


@dataclass(frozen=True, slots=True)
class Quality:
    """The estimated quality of the text.

    `confidence` in [0, 1] is the expected F1 of the text against the text that a person would choose, None if it is
    unknown. `kind` is that of a pasted text, `kind_confidence` in [0, 1] how sure it is; both are None for pages, which
    have `page_kind`.
    """

    confidence: float | None = None
    flags: tuple[Flag, ...] = ()
    kind: PasteKind | None = None
    kind_confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """A piece of pasted text that is not in the article, and the rule that removed it."""

    text: str
    rule: str


@dataclass(frozen=True, slots=True)
class Post:
    """A post of a thread, a question or an answer.

    `author` and `published` (ISO 8601) are None where the page does not state them. `accepted`: it is the answer that
    solved the question. `text` is as that of an article.
    """

    author: str | None
    published: str | None
    text: str
    accepted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """How a URL was fetched, or how far a failed fetch came.

    `url` is the last one that was requested. `status` and `media_type` are those of its answer, None without an answer
    or a declared type. `redirects` are the URLs before it, pages that refresh to another included, and
    `redirect_statuses` their statuses. `size` counts the bytes of the last body after decompression,
    `transferred_bytes` as they were sent, as far as the body was read. `first_byte_s` is the time in seconds from the
    last request to the header of its answer, `total_s` the time of all requests, without waiting for the host.
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
    """How a result was produced.

    `charset` is the one that the bytes were decoded with, `charset_source` its source; both are None if text came as
    JSON. `controls_dropped` counts the control characters that were left out. `language_confidence` is in [0, 1].
    `timings` are seconds by stage. `versions` are those of the packages that were used. `confidence` is the
    confidence of each metadata field in [0, 1], where it is known. `candidates` are the values that a metadata field
    did not get. `history` are the attempts before the last. `idempotency` is None without an idempotency key.
    `duplicates_checked` is False if the ledger could not be asked for duplicates, None if none were looked for.
    """

    fetch: Fetched | None = None
    charset: str | None = None
    charset_source: CharsetSource | None = None
    controls_dropped: int = 0
    language_confidence: float | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    confidence: Mapping[str, float] = field(default_factory=dict)
    candidates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    history: tuple[Attempt, ...] = ()
    idempotency: Idempotency | None = None
    duplicates_checked: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A submitted document, and what is known about it besides its text.

    `kind` (None where the job cannot be decoded), `labels` and `url` are as submitted. `published` and `modified` are
    ISO 8601, `language` is BCP 47. `kicker` are the few words above the title that name its topic.
    """

    id: str
    kind: Kind | None
    labels: Mapping[str, str] = field(default_factory=dict)
    url: str | None = None
    canonical_url: str | None = None
    host: str | None = None
    site_name: str | None = None
    title: str | None = None
    kicker: str | None = None
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

    `text` holds paragraphs separated by one blank line, list items as `- item`, those of inner lists indented by two
    spaces, rows of tables as lines with ` | ` between cells, and code unchanged. `reading_time_s` are seconds,
    `content_sha256` is the hex digest of `text` in UTF-8, `simhash` 16 hex digits. `sketch` tells how much two texts
    have in common: see `contract.duplicates`. `duplicate_of` is None if no earlier duplicate is known.

    `markdown`, `html` (sanitised) and `comments` (text of readers' comments) are set where the caller asked for them
    and the page has them; their links are absolute. `posts` are those of a thread, or a question and its answers;
    `text` has their texts, too. `page_kind` and `quality` are estimates. `field_sources` names the source of each
    metadata field that has a value.
    """

    kind: Kind
    text: str
    markdown: str | None = None
    html: str | None = None
    comments: str | None = None
    posts: tuple[Post, ...] = ()
    excerpt: str
    word_count: int
    char_count: int
    reading_time_s: int
    content_sha256: str
    simhash: str
    sketch: str | None = None
    duplicate_of: DuplicateOf | None = None
    page_kind: PageKind | None = None
    quality: Quality = Quality()
    field_sources: Mapping[str, Source] = field(default_factory=dict)
    removed: tuple[Removed, ...] = ()
    provenance: Provenance = Provenance()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure(Document):
    """A document that did not become an article: why, and after how many attempts.

    A page that was parsed and then refused has metadata, too; its language is the declared one. `duplicate_of` is the
    document that makes this one needless, where `reason` is `duplicate`.
    """

    reason: Reason
    detail: str
    attempts: int
    duplicate_of: DuplicateOf | None = None
    field_sources: Mapping[str, Source] = field(default_factory=dict)
    provenance: Provenance = Provenance()
