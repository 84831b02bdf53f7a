"""A document's editor that does as the document says: hang, exit, or take all memory. Runs in parser children."""

import os
import time

from contract.article import Article
from workers.desk import Copy
from workers.desk import edit as edit_in_order

HANG, EXIT, ALLOCATE = "PLEASE-HANG", "PLEASE-EXIT", "PLEASE-ALLOCATE"


def edit(copy: Copy) -> Article:
    """Returns the article in `copy`, unless it says otherwise."""
    text = copy.content if isinstance(copy.content, str) else ""
    if HANG in text:
        time.sleep(3600)
    if EXIT in text:
        os._exit(1)
    if ALLOCATE in text:
        allocate()
    return edit_in_order(copy)


def allocate() -> None:
    hoard = []
    while True:
        hoard.append(bytes(10_000_000))
