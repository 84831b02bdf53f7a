"""What a caller asks for beyond the plain text, and how the text is to be chosen."""

from dataclasses import dataclass
from enum import StrEnum


class Format(StrEnum):
    """A form of the article. `text` is always there: hashes, counts and the excerpt are of it."""

    TEXT = "text"
    MARKDOWN = "markdown"  # CommonMark, with tables as GitHub writes them
    HTML = "html"  # sanitised


class Part(StrEnum):
    """What may stand in an article beside its paragraphs, headings, lists and quotes."""

    COMMENTS = "comments"  # of readers; a field of their own
    TABLES = "tables"
    IMAGES = "images"  # in Markdown and HTML
    LINKS = "links"  # in Markdown and HTML


class Focus(StrEnum):
    """Which error is worse: text that does not belong, or text that is missing."""

    PRECISION = "precision"
    BALANCED = "balanced"
    RECALL = "recall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a document is to be handled once it is in hand.

    `formats` are made beside the text, `include` is all of the optional parts that are wanted, `keep_all` leaves every
    line of pasted text where it is.
    """

    formats: tuple[Format, ...] = (Format.TEXT,)
    include: tuple[Part, ...] = (Part.TABLES, Part.LINKS)
    focus: Focus = Focus.BALANCED
    keep_all: bool = False
