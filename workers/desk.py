"""What a parser child runs: raw copy in, a clean article out."""

import time
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version

from contract.article import Article, Fetched
from contract.codec import MAX_EVENT_BYTES, encode
from contract.job import Job
from contract.options import Format
from contract.reasons import Reason
from workers.decode import Decoded, decode
from workers.draft import Draft
from workers.extract.reader import read_html
from workers.failures import Failed
from workers.metadata.found import NOTHING_KNOWN, Metadata
from workers.normalise.article import describe, normalise
from workers.outputs.forms import write_forms
from workers.pasted.reader import read_text

_PACKAGES = ("copydesk", "trafilatura")
_ENVELOPE_BYTES = 256 * 1024  # of an event's limit, for what is around the article and joins it later: its history


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A document on its way into a parser child.

    `content` is bytes as fetched, or text as submitted. `url` is where it was after redirects, or the one submitted
    with it. `charset` is what HTTP declared.
    """

    job: Job
    content: str | bytes
    is_html: bool
    url: str | None = None
    charset: str | None = None
    fetched: Fetched | None = None


def edit(copy: Copy) -> Article:
    """Returns the article in `copy`.

    Raises:
        Failed: NO_ARTICLE where no text is left, RESULT_TOO_LARGE where the event would be too large, or as the reader
            raises it; with what is known of the document, in standard form.
    """
    try:
        return _edit(copy)
    except Failed as failed:
        raise failed.knowing(metadata=_known(failed.metadata, copy)) from failed


def _edit(copy: Copy) -> Article:
    began = time.perf_counter()
    text, decoded = _decoded(copy)
    draft = _read(text, copy)
    extracted = time.perf_counter()
    article = normalise(draft, copy.job, copy.url)
    if not article.text:
        raise Failed(Reason.NO_ARTICLE, "no text of an article was found", metadata=draft)
    forms = write_forms(article.text, draft.blocks, copy.url, copy.job.options)
    provenance = replace(
        article.provenance,
        fetch=copy.fetched,
        charset=decoded.charset if decoded else None,
        charset_source=decoded.source if decoded else None,
        timings={"extract": round(extracted - began, 6), "normalise": round(time.perf_counter() - extracted, 6)},
        versions=_versions(),
    )
    return fit(
        replace(article, markdown=forms.get(Format.MARKDOWN), html=forms.get(Format.HTML), provenance=provenance)
    )


def fit(article: Article, limit_bytes: int = MAX_EVENT_BYTES - _ENVELOPE_BYTES) -> Article:
    """Returns `article` so that it is at most `limit_bytes` long when encoded.

    What was removed goes first, then the candidates that lost.

    Raises:
        Failed: RESULT_TOO_LARGE: it is too large without them, too.
    """
    bare = replace(article, removed=())
    barest = replace(bare, provenance=replace(article.provenance, candidates={}))
    for version_ in (article, bare, barest):
        size = len(encode(version_))
        if size <= limit_bytes:
            return version_
    raise Failed(Reason.RESULT_TOO_LARGE, f"the article takes {size} bytes, the limit is {limit_bytes}")


def _decoded(copy: Copy) -> tuple[str, Decoded | None]:
    if isinstance(copy.content, str):
        return copy.content, None
    decoded = decode(copy.content, copy.charset)
    return decoded.text, decoded


def _read(text: str, copy: Copy) -> Draft:
    options = copy.job.options
    if copy.is_html:
        return read_html(text, copy.url, options)
    return read_text(text, focus=options.focus, keep_all=options.keep_all)


def _known(metadata: Metadata, copy: Copy) -> Metadata:
    """Returns what is known of a document without an article, or nothing where that is longer than an event may be."""
    known = describe(metadata, copy.job, copy.url)
    return known if len(encode(known)) <= _ENVELOPE_BYTES else NOTHING_KNOWN


@cache
def _versions() -> dict[str, str]:
    return {package: version(package) for package in _PACKAGES}
