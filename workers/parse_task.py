"""Names the task of a parser child, so that the parent process loads neither parsers nor models."""

from pkgutil import resolve_name
from typing import Final

from contract.article import Article
from workers.document import RawDocument

PRELOAD: Final = ("workers.preloaded",)
"""Modules that a child loads before its first document."""


def extract_article(document: RawDocument) -> Article:
    """Returns the article in `document`: `workers.pipeline.extract_article`, which the child imports at the first call.

    Raises:
        Failed: as `workers.pipeline.extract_article` raises it.
    """
    article: Article = resolve_name("workers.pipeline:extract_article")(document)
    return article
