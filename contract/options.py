"""The options of a submission: further forms of the article, optional parts, and how the text is chosen."""

from dataclasses import dataclass
from enum import StrEnum


class Format(StrEnum):
    """A form of the article. `text` is always set: hashes, counts and the excerpt are computed from it."""

    TEXT = "text"
    MARKDOWN = "markdown"  # CommonMark, with GitHub's tables
    HTML = "html"  # sanitised


class Part(StrEnum):
    """An optional part of an article, besides paragraphs, headings, lists and quotes."""

    COMMENTS = "comments"  # of readers; in a separate field
    TABLES = "tables"
    IMAGES = "images"  # in Markdown and HTML
    LINKS = "links"  # in Markdown and HTML


class Focus(StrEnum):
    """The error to avoid: text that does not belong, or text that is missing."""

    PRECISION = "precision"
    BALANCED = "balanced"
    RECALL = "recall"


class OnDuplicate(StrEnum):
    """What happens to an article that is a duplicate of one before."""

    PUBLISH = "publish"  # it is published, and names the other one in `duplicate_of`
    DROP = "drop"  # it fails with reason `duplicate`, if the texts are the same or nearly so


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a document is processed.

    `formats` are added to the text, `include` lists the wanted optional parts, `keep_all` keeps every line of pasted
    text.
    """

    formats: tuple[Format, ...] = (Format.TEXT,)
    include: tuple[Part, ...] = (Part.TABLES, Part.LINKS)
    focus: Focus = Focus.BALANCED
    keep_all: bool = False
    on_duplicate: OnDuplicate = OnDuplicate.PUBLISH
