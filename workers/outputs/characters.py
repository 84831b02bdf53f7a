"""Characters that a tree can hold."""

import re

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def allowed(text: str) -> str:
    """Returns `text` without what XML 1.0, section 2.2, forbids: pages smuggle it in by character references."""
    return _NOT_XML.sub("", text)
