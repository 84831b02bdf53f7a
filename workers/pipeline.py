"""The task of a parser child: makes a clean article of a raw document."""

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib.metadata import version

from contract.article import Article, Quality
from contract.charsets import CharsetSource
from contract.codec import MAX_EVENT_BYTES, encode
from contract.labels import Stage
from contract.options import Format
from contract.reasons import Reason
from workers.controls import clean_controls
from workers.decode import decode
from workers.document import NOTHING_KNOWN, Metadata, RawDocument
from workers.draft import Draft
from workers.extract.html_reader import read_html
from workers.failures import Failed
from workers.normalise.article import describe, normalise
from workers.normalise.text import spaced_lines
from workers.outputs.forms import write_forms
from workers.pasted.text_reader import read_text
from workers.quality.text_flags import text_flags

_PACKAGES = ("copydesk", "trafilatura")
_ENVELOPE_BYTES = 256 * 1024  # of an event's limit, for what is around the article and joins it later: its history


def extract_article(document: RawDocument) -> Article:
    """Returns the article in `document`.

    Raises:
        Failed: NO_ARTICLE if no text is left, RESULT_TOO_LARGE if the event would be too large, or as the reader raises
            it; with the document's metadata in standard form.
    """
    try:
        return _extract(document)
    except Failed as failed:
        raise failed.knowing(metadata=_known(failed.metadata, document)) from failed


def _extract(document: RawDocument) -> Article:
    began = time.perf_counter()
    decoded, charset, source = _decoded(document)
    text, controls = clean_controls(decoded, is_html=document.is_html)
    draft = _read(text, document)
    extracted = time.perf_counter()
    article = normalise(draft, document.job, document.url)
    if not article.text:
        raise Failed(Reason.NO_ARTICLE, "no text of an article was found", metadata=draft)
    flags = (*draft.flags, *text_flags(article.text, article.word_count, article.language))
    forms = _forms(article, draft, document)
    provenance = replace(
        article.provenance,
        fetch=document.fetched,
        charset=charset,
        charset_source=source,
        controls_dropped=controls,
        timings={
            Stage.EXTRACT.value: round(extracted - began, 6),
            Stage.NORMALISE.value: round(time.perf_counter() - extracted, 6),
        },
        versions=_versions(),
    )
    quality = Quality(draft.confidence, flags, draft.paste_kind, draft.paste_kind_confidence)
    markdown, html = forms.get(Format.MARKDOWN), forms.get(Format.HTML)
    return fit(replace(article, markdown=markdown, html=html, quality=quality, provenance=provenance))


def _forms(article: Article, draft: Draft, document: RawDocument) -> dict[Format, str]:
    code = () if draft.blocks or not draft.spaced_lines else spaced_lines(draft.text, draft.spaced_lines)
    return write_forms(article.text, draft.blocks, document.url, document.job.options, code)


def fit(article: Article, limit_bytes: int = MAX_EVENT_BYTES - _ENVELOPE_BYTES) -> Article:
    """Returns `article` so that it is at most `limit_bytes` long when encoded.

    It first drops what was removed, then the candidates that lost, then the posts, whose texts `text` has, too.

    Raises:
        Failed: RESULT_TOO_LARGE: it is too large without them, too.
    """
    for version_ in _ever_shorter(article):
        size = len(encode(version_))
        if size <= limit_bytes:
            return version_
    raise Failed(Reason.RESULT_TOO_LARGE, f"the article takes {size} bytes, the limit is {limit_bytes}")


def _ever_shorter(article: Article) -> Iterator[Article]:
    yield article
    bare = replace(article, removed=())
    yield bare
    barer = replace(bare, provenance=replace(article.provenance, candidates={}))
    yield barer
    yield replace(barer, posts=())


def _decoded(document: RawDocument) -> tuple[str, str | None, CharsetSource | None]:
    if isinstance(document.content, str):
        return document.content, document.job.charset, document.job.charset_source
    decoded = decode(document.content, document.charset)
    return decoded.text, decoded.charset, decoded.source


def _read(text: str, document: RawDocument) -> Draft:
    options = document.job.options
    if document.is_html:
        return read_html(text, document.url, options)
    return read_text(text, focus=options.focus, keep_all=options.keep_all)


def _known(metadata: Metadata, document: RawDocument) -> Metadata:
    """Returns the metadata of a document without an article, or none if they are too long for an event."""
    known = describe(metadata, document.job, document.url)
    return known if len(encode(known)) <= _ENVELOPE_BYTES else NOTHING_KNOWN


@cache
def _versions() -> dict[str, str]:
    return {package: version(package) for package in _PACKAGES}
