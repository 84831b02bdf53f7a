"""Identifies the language of a text from its letters and from the document's declaration."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

import langcodes
from py3langid.langid import LanguageIdentifier  # type: ignore[import-untyped] # no py.typed

from contract.article import Source
from workers.document import Sourced
from workers.normalise.language_model import load_language_model

# Chosen by hand unless a measurement is given.
_SAMPLE_CHARS = (400, 800, 3000)  # the next longer one if a shorter leaves doubt, as for one text in five and in fifty
_NO_DOUBT = 0.99  # confidence from which on a sample suffices
_PRIOR_ODDS = 100.0  # of the declared language against each other one: few pages declare a wrong one
_MIN_CONFIDENCE = 0.5  # probability; chosen: more likely than not
_SAME = {"nb": "no"}  # the model has one label for both
_MAX_SUBTAG_CHARS = 3  # longer ones are private tags such as `x-default`: no language has one
_NO_LANGUAGE = {"und", "mul", "zxx", "mis"}


@dataclass(frozen=True, slots=True)
class Identified:
    """A text's language.

    `tag` is its primary BCP 47 subtag with its source, None if it is unknown. `confidence` in [0, 1] is the model's
    probability of it, None if the model does not know the language. `locale` adds the subtags that the document
    declares, as `en-GB`.
    """

    tag: Sourced[str] | None
    confidence: float | None
    locale: str | None


def identify(text: str, caller: str | None, declared: Sourced[str] | None) -> Identified:
    """Returns the language of `text`.

    The caller's language takes precedence. Otherwise the text decides, with the declared language as prior: a short
    text rarely changes it, a long text overrules it.
    """
    locale = standard_tag(declared.value) if declared else None
    if caller and (stated := standard_tag(caller)):
        agrees = locale is not None and primary(locale) == stated  # and the document may name the region, too
        return _as_said(_chances(text, primary(stated)), locale if locale and agrees else stated, Source.CALLER)
    chances = _chances(text, primary(locale) if locale else None)
    best = max(chances, key=chances.__getitem__)
    if declared and locale and (primary(locale) not in chances or primary(locale) == best):
        return _as_said(chances, locale, declared.source)
    if chances[best] >= _MIN_CONFIDENCE:
        return Identified(Sourced(best, Source.TEXT), round(chances[best], 4), best)
    if declared and locale:
        return _as_said(chances, locale, declared.source)
    return Identified(None, None, None)


@lru_cache(maxsize=1024)
def standard_tag(tag: str) -> str | None:
    """Returns `tag` in the form of BCP 47 (`en_us` is `en-US`, `iw` is `he`), or None if it names no language."""
    try:
        language = langcodes.Language.get(langcodes.standardize_tag(tag.strip(), macro=True))
    except ValueError:
        return None
    subtag = language.language or "und"
    if len(subtag) > _MAX_SUBTAG_CHARS or subtag in _NO_LANGUAGE or not language.is_valid():
        return None
    return language.to_tag()


def primary(tag: str) -> str:
    """Returns the primary subtag of a standard `tag`."""
    subtag = tag.partition("-")[0]
    return _SAME.get(subtag, subtag)


def preload() -> None:
    """Loads the language model (0.4 s) so that forked children share it."""
    _model()


def _as_said(chances: Mapping[str, float], locale: str, source: Source) -> Identified:
    tag = primary(locale)
    chance = chances.get(tag)
    return Identified(Sourced(tag, source), None if chance is None else round(chance, 4), locale)


def _chances(text: str, expected: str | None) -> dict[str, float]:
    """Returns how likely each language is, `expected` being more likely from the start (Bayes' rule)."""
    chances: dict[str, float] = {}
    for chars in _SAMPLE_CHARS:
        chances = _weighed(text[:chars], expected)
        if len(text) <= chars or max(chances.values()) >= _NO_DOUBT:
            break
    return chances


def _weighed(sample: str, expected: str | None) -> dict[str, float]:
    weights: dict[str, float] = {}
    for label, chance in _model().rank(sample):
        tag = _label_tags().get(label)
        if tag:
            weights[tag] = weights.get(tag, 0.0) + chance * (_PRIOR_ODDS if tag == expected else 1.0)
    total = sum(weights.values())
    return {tag: weight / total for tag, weight in weights.items()}


@cache
def _model() -> LanguageIdentifier:
    return load_language_model()


@cache
def _label_tags() -> dict[str, str]:
    """Returns the primary subtag of each of the model's labels: Wu is `zh`, Egyptian Arabic `ar`."""
    tags = {label: standard_tag(label) for label in _model().labels}
    return {label: primary(tag) for label, tag in tags.items() if tag}
