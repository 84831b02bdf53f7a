"""Features of what a page declares in its head, its structured data and its URL."""

import re
from urllib.parse import urlsplit

from workers.page.head import Head

_TYPE = re.compile(r'"@type"\s*:\s*\[?\s*"(?:https?://schema\.org/)?(\w+)"')
_NOT_FREE = re.compile(r'"isAccessibleForFree"\s*:\s*"?false', re.IGNORECASE)
_MAX_CHARS = 200_000  # characters of JSON-LD that are read; chosen: product pages carry megabytes
_GROUPS = {
    "article": "Article NewsArticle BlogPosting ReportageNewsArticle OpinionNewsArticle LiveBlogPosting",
    "product": "Product ProductGroup IndividualProduct Offer AggregateOffer Book SoftwareApplication Course",
    "listing": "CollectionPage ItemList OfferCatalog SearchResultsPage Blog",
    "forum": "DiscussionForumPosting QAPage Question Answer Comment SocialMediaPosting",
    "documentation": "TechArticle HowTo APIReference DefinedTerm MedicalWebPage",
    "offer": "Service LocalBusiness ProfessionalService Organization EducationalOrganization FAQPage",
}
_TYPES = {name: group for group, names in _GROUPS.items() for name in names.split()}
_OG = ("article", "product", "website")
_GENERATORS = {
    "forum": ("discourse", "phpbb", "vbulletin", "xenforo", "invision", "flarum", "mybb", "nodebb", "vanilla"),
    "documentation": ("sphinx", "docusaurus", "mkdocs", "doxygen", "gitbook", "mediawiki", "javadoc", "hugo", "docfx"),
    "shop": ("shopify", "woocommerce", "magento", "prestashop", "bigcommerce"),
}
DECLARED_FEATURES = (
    *(f"ld_{group}" for group in _GROUPS),
    *(f"og_{name}" for name in _OG),
    *(f"generator_{group}" for group in _GENERATORS),
    *("has_author", "has_published", "has_price"),
)
_WORD = re.compile(r"[a-z]+")
_DATE = re.compile(r"(?:19|20)\d\d[-/_]?(?:0[1-9]|1[0-2])(?!\d)|/(?:19|20)\d\d/")
# Hyphens from which on a part of a path is a headline, whose words are ignored. Chosen by hand. The features depend on
# it: retrain the models after a change.
_LONG_SLUG_HYPHENS = 3
_PATH_GROUPS = {
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
ADDRESS_FEATURES = (
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
    *(f"path_{group}" for group in _PATH_GROUPS),
    *(f"host_{group}" for group in _PATH_GROUPS),
)
_PATH_WORDS = {group: frozenset(words.split()) for group, words in _PATH_GROUPS.items()}


def is_paid(head: Head) -> bool:
    """Returns True if the JSON-LD says that the page is not free to read (schema.org `isAccessibleForFree`)."""
    return _NOT_FREE.search(_json_ld(head)) is not None


def _json_ld(head: Head) -> str:
    return "\n".join(head.json_ld)[:_MAX_CHARS]


def declared_features(head: Head) -> list[float]:
    """Returns one number for each of `DECLARED_FEATURES`."""
    metas = head.metas
    counts = dict.fromkeys(_GROUPS, 0)
    for name in _TYPE.findall(_json_ld(head)):
        if group := _TYPES.get(name):
            counts[group] += 1
    og = head.first("og:type").lower()
    generator = head.first("generator").lower()
    return [
        *(float(min(count, 3)) for count in counts.values()),
        *(float(name in og) for name in _OG),
        *(float(any(word in generator for word in words)) for words in _GENERATORS.values()),
        float("author" in metas or "article:author" in metas),
        float("article:published_time" in metas),
        float(any(name.startswith(("product:price", "og:price")) for name in metas)),
    ]


def address_features(url: str | None) -> list[float]:
    """Returns one number for each of `ADDRESS_FEATURES`; all are missing (NaN) if there is no URL."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        parts = urlsplit("")
    if not parts.netloc:
        return [float("nan")] * len(ADDRESS_FEATURES)
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
        float(last in _PATH_WORDS["news"]),
        *(float(bool(in_path & words)) for words in _PATH_WORDS.values()),
        *(float(bool(in_host & words)) for words in _PATH_WORDS.values()),
    ]
