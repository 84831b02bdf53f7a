"""What an address says of the page behind it."""

import re
from urllib.parse import urlsplit

_WORD = re.compile(r"[a-z]+")
_DATE = re.compile(r"(?:19|20)\d\d[-/_]?(?:0[1-9]|1[0-2])(?!\d)|/(?:19|20)\d\d/")
_LONG_SLUG_HYPHENS = 3

_GROUPS = {
    "product": "product products item items p dp sku buy prod produkt produit producto",
    "listing": "collections collection category categories tag tags archive archives search browse shop all topics "
    "catalog section rubrik kategorie categorie categoria seccion",
    "forum": "forum forums thread threads topic viewtopic showthread community communities discuss discussion "
    "discussions questions answers board boards phpbb comments groups t r foro",
    "documentation": "docs doc documentation manual reference api wiki readthedocs tutorial guide guides glossary help "
    "support faq handbook kb howto en_us latest stable",
    "news": "news blog blogs article articles post posts story stories nachrichten artikel actualites noticias",
    "offer": "services service pricing about programs program certification courses course solutions",
}
NAMES = (
    *(
        "path_depth",
        "is_root",
        "last_hyphens",
        "last_chars",
        "last_has_digits",
        "has_date",
        "has_query",
        "ends_in_news",
    ),
    *(f"path_{group}" for group in _GROUPS),
    *(f"host_{group}" for group in _GROUPS),
)
_WORDS = {group: frozenset(words.split()) for group, words in _GROUPS.items()}


def features(url: str | None) -> list[float]:
    """Returns one number for each of `NAMES`; all are missing (NaN) where there is no URL."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        parts = urlsplit("")
    if not parts.netloc:
        return [float("nan")] * len(NAMES)
    path = parts.path.lower().rstrip("/")
    segments = [segment for segment in path.split("/") if segment]
    last = segments[-1] if segments else ""
    in_path = {
        word for segment in segments for word in _WORD.findall(segment) if segment.count("-") < _LONG_SLUG_HYPHENS
    }
    in_host = set(_WORD.findall(parts.netloc.lower()))
    return [
        float(len(segments)),
        float(not segments),
        float(last.count("-") + last.count("_")),
        float(len(last)),
        float(any(char.isdigit() for char in last)),
        float(_DATE.search(path) is not None),
        float(bool(parts.query)),
        float(last in _WORDS["news"]),
        *(float(bool(in_path & words)) for words in _WORDS.values()),
        *(float(bool(in_host & words)) for words in _WORDS.values()),
    ]
