"""Characters that a tree, and so Markdown and HTML, can hold."""

import re

from workers.normalise.text import C1_LETTERS

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def allowed(text: str) -> str:
    """Returns `text` without what XML 1.0, section 2.2, forbids: pages smuggle it in by character references.

    DEL goes, too, and C1 controls become the letters of Windows-1252 that they stand for, as in an article's text.
    """
    return _NOT_XML.sub("", text).translate(C1_LETTERS)
