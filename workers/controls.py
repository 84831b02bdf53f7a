"""Removes control characters from a document, or replaces them by white space."""

import re

_BREAKS = str.maketrans({"\v": "\n", "\f": "\n"})
# Left in for now: tab, LF, CR; escape and the separators FS, GS, RS, which reading text deals with; and C1, which may
# be letters that were decoded wrongly. None of them reaches an article's text.
_DROPPED_IN_TEXT = re.compile("[\x00-\x08\x0e-\x1a\x1f\x7f]")
_DROPPED_IN_HTML = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
_UNWANTED = [*map(chr, (*range(0x09), *range(0x0E, 0x20), 0x7F))]  # all of these
_TAG = re.compile(r"<[a-zA-Z!/][^<>]*>")


def clean_controls(text: str, *, is_html: bool) -> tuple[str, int]:
    """Returns `text` without meaningless control characters, and their number.

    Form feed and vertical tab become line breaks, which are white space. In HTML, NULL inside a tag becomes U+FFFD and
    is left out elsewhere, as the tokenization of the HTML standard (13.2.5) has it.
    """
    text = text.translate(_BREAKS) if "\v" in text or "\f" in text else text
    if not any(map(text.__contains__, _UNWANTED)):  # a third of the time that the search for a set of characters takes
        return text, 0
    dropped = _DROPPED_IN_HTML if is_html else _DROPPED_IN_TEXT
    count = sum(1 for _ in dropped.finditer(text))
    if not count:
        return text, 0
    if is_html and "\0" in text:
        text = _TAG.sub(lambda tag: tag[0].replace("\0", "\ufffd"), text)
    return dropped.sub("", text), count
