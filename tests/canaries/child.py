"""The task of a parser child for documents that ask for a defect. A module of its own: children import only this."""

import logging
import os
import sys
import threading
import warnings

from contract.article import Article
from workers.document import RawDocument
from workers.pipeline import extract_article as extract_well

ASK = "defect:"


def extract_article(document: RawDocument) -> Article:
    """Returns the article, after doing what the document asks for."""
    text = str(document.content)
    if f"{ASK}child-print" in text:
        print(text)  # noqa: T201 - as a library may
        print(text, file=sys.stderr)  # noqa: T201
        os.write(2, text.encode())
        logging.getLogger("lib").error("cannot read %s", text)
        warnings.warn(text, stacklevel=1)
    if f"{ASK}child-raise" in text:
        raise ValueError(text)
    if f"{ASK}child-thread" in text:
        thread = threading.Thread(target=_fail, args=[text], name=text)
        thread.start()
        thread.join()
    if f"{ASK}child-exit" in text:
        os.write(2, text.encode())
        os._exit(3)
    return extract_well(document)


def _fail(text: str) -> None:
    raise ValueError(text)
