"""An extractor that does what the document says: hang, exit, or take all memory. Runs in parser children."""

import os
import time

from contract.article import Article
from workers.document import RawDocument
from workers.pipeline import extract_article as extract

HANG, EXIT, ALLOCATE = "PLEASE-HANG", "PLEASE-EXIT", "PLEASE-ALLOCATE"


def extract_article(document: RawDocument) -> Article:
    """Returns the article in `document`, unless it says otherwise."""
    text = document.content if isinstance(document.content, str) else ""
    if HANG in text:
        time.sleep(3600)
    if EXIT in text:
        os._exit(1)
    if ALLOCATE in text:
        allocate()
    return extract(document)


def allocate() -> None:
    hoard = []
    while True:
        hoard.append(bytes(10_000_000))
