"""Chooses an article's metadata from the document's and the caller's."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from contract.article import Source
from contract.job import CallerMetadata
from workers.document import Metadata, Sourced
from workers.normalise.canonical_url import absolute_url, canonical_url
from workers.normalise.dates import normalise_date
from workers.normalise.language import Identified, standard_tag
from workers.normalise.text import normalise_line, normalise_markup_line

Fields = dict[str, Sourced[Any]]
"""Metadata by field name, as in Article: a string or a tuple of strings each; no entry if there is none."""

_LINES = ("title", "kicker", "site_name", "description", "license")
_LISTS = ("authors", "categories", "tags")
_DATES = ("published", "modified")


def of_document(metadata: Metadata, locale: str | None, url: str | None) -> Fields:
    """Returns the document's own metadata in standard form. Dates are read in the language of `locale`."""
    fields = {name: _convert(getattr(metadata, name), normalise_markup_line) for name in _LINES}
    fields |= {name: _convert(getattr(metadata, name), _markup_lines) for name in _LISTS}
    fields |= {name: _convert(getattr(metadata, name), lambda date: normalise_date(date, locale)) for name in _DATES}
    fields["image"] = _convert(metadata.image, lambda image: absolute_url(image, url))
    fields["language"] = _convert(metadata.language, standard_tag)
    fields["canonical_url"] = _canonical(metadata.canonical_url, url)
    return _present(fields)


def of_caller(metadata: CallerMetadata) -> Fields:
    """Returns the caller's metadata, except the language, in standard form."""
    values = {
        "title": normalise_line(metadata.title or ""),
        "authors": distinct(normalise_line(author) for author in metadata.authors),
        "published": metadata.published and normalise_date(metadata.published),
        "site_name": normalise_line(metadata.site_name or ""),
    }
    return {name: Sourced(value, Source.CALLER) for name, value in values.items() if value}


def choose_fields(document: Fields, caller: Fields, language: Identified) -> Fields:
    """Returns the fields of the article: the caller's, or else the document's; the language as identified."""
    won = {**document, **caller}
    won.pop("language", None)
    return {**won, "language": language.tag} if language.tag else won


def losing_values(won: Fields, document: Fields, others: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Returns by field the values that were not chosen, the document's own first, then `others`."""
    names = dict.fromkeys((*document, *others))
    losers = {name: _losers(won.get(name), document.get(name), others.get(name, ())) for name in names}
    return {name: values for name, values in losers.items() if values}


def distinct(values: Iterable[str]) -> tuple[str, ...]:
    """Returns `values` without empty ones and those that equal an earlier one regardless of case."""
    first: dict[str, str] = {}
    for value in values:
        if value:
            first.setdefault(value.casefold(), value)
    return tuple(first.values())


def _losers(won: Sourced[Any] | None, document: Sourced[Any] | None, others: tuple[str, ...]) -> tuple[str, ...]:
    values = distinct((_as_text(document), *map(normalise_markup_line, others)))
    return tuple(value for value in values if value != _as_text(won))


def _as_text(found: Sourced[Any] | None) -> str:
    if found is None:
        return ""
    return found.value if isinstance(found.value, str) else ", ".join(found.value)


def _canonical(declared: Sourced[str] | None, url: str | None) -> Sourced[str] | None:
    chosen = canonical_url(declared.value if declared else None, url)
    if chosen is None:
        return None
    is_declared = declared is not None and absolute_url(declared.value, url) == chosen
    return Sourced(chosen, declared.source if declared and is_declared else Source.URL)


def _markup_lines(values: Iterable[str]) -> tuple[str, ...]:
    return distinct(map(normalise_markup_line, values))


def _convert(found: Sourced[Any] | None, convert: Callable[[Any], Any]) -> Sourced[Any] | None:
    value = convert(found.value) if found else None
    return Sourced(value, found.source, found.confidence) if found and value else None


def _present(fields: Mapping[str, Sourced[Any] | None]) -> Fields:
    return {name: found for name, found in fields.items() if found}
