"""Makes an article of a draft."""

from typing import Any

from contract.article import Article, Post, Provenance, Removed
from contract.events import host_of
from contract.job import Job
from workers.document import Metadata
from workers.draft import Draft
from workers.normalise import fields
from workers.normalise.dates import normalise_date
from workers.normalise.fingerprint import content_sha256, shingles
from workers.normalise.language import identify, standard_tag
from workers.normalise.length import excerpt, measure_length
from workers.normalise.text import normalise_markup_line, normalise_text


def normalise(draft: Draft, job: Job, url: str | None) -> Article:
    """Returns the article of `draft`, with `job`'s metadata where the caller gave any.

    Args:
        draft: what a reader found.
        job: the document's id, kind and labels, and what the caller knows of it.
        url: the document's URL after redirects, the base of relative URLs.

    The provenance holds the confidence in the language, and the candidates that were not chosen. The text is empty if
    the draft had only white space.
    """
    text = normalise_text(draft.text, draft.spaced_lines)
    language = identify(text, job.metadata.language, draft.language)
    document = fields.of_document(draft, language.locale, url)
    won = fields.choose_fields(document, fields.of_caller(job.metadata), language)
    length = measure_length(text)
    summary = shingles(text)
    return Article(
        id=job.id,
        kind=job.kind,
        labels=job.labels,
        url=job.url,
        host=host_of(won["canonical_url"].value) if "canonical_url" in won else host_of(url),
        **{name: found.value for name, found in won.items()},
        text=text,
        excerpt=excerpt(text),
        word_count=length.words,
        char_count=len(text),
        reading_time_s=length.reading_s,
        content_sha256=content_sha256(text),
        simhash=summary.simhash,
        sketch=summary.sketch,
        comments=normalise_text(draft.comments) if draft.comments else None,
        posts=tuple(_post(post, language.locale) for post in draft.posts),
        page_kind=draft.page_kind,
        field_sources={name: found.source for name, found in won.items()},
        removed=_removed(draft.removed),
        provenance=Provenance(
            language_confidence=language.confidence,
            confidence={name: found.confidence for name, found in won.items() if found.confidence is not None},
            candidates=fields.losing_values(won, document, draft.candidates),
        ),
    )


def describe(metadata: Metadata, job: Job, url: str | None) -> Metadata:
    """Returns the metadata of a document without an article, in standard form: the caller's, or else the document's.

    Args:
        metadata: the document's own.
        job: has the caller's.
        url: the document's URL after redirects, the base of relative URLs.
    """
    declared = standard_tag(metadata.language.value) if metadata.language else None
    known: dict[str, Any] = {**fields.of_document(metadata, declared, url), **fields.of_caller(job.metadata)}
    return Metadata(**known)


def _removed(pieces: tuple[Removed, ...]) -> tuple[Removed, ...]:
    cleaned = (Removed(normalise_text(piece.text), piece.rule) for piece in pieces)
    return tuple(piece for piece in cleaned if piece.text)


def _post(post: Post, locale: str | None) -> Post:
    return Post(
        normalise_markup_line(post.author) or None if post.author else None,
        normalise_date(post.published, locale) if post.published else None,
        normalise_text(post.text),
        post.accepted,
    )
