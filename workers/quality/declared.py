"""What a page declares itself to be, in its head and its structured data."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from workers.markup import Element

_TYPE = re.compile(r'"@type"\s*:\s*\[?\s*"(?:https?://schema\.org/)?(\w+)"')
_NOT_FREE = re.compile(r'"isAccessibleForFree"\s*:\s*"?false', re.IGNORECASE)
_MAX_CHARS = 200_000  # of structured data; product pages carry megabytes
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
NAMES = (
    *(f"ld_{group}" for group in _GROUPS),
    *(f"og_{name}" for name in _OG),
    *(f"generator_{group}" for group in _GENERATORS),
    *("has_author", "has_published", "has_price"),
)


@dataclass(frozen=True, slots=True)
class Declared:
    """What a page declares: its `<meta>` by name, and the start of its structured data, unread."""

    metas: Mapping[str, str]
    data: str

    @property
    def is_paid(self) -> bool:
        """Whether the structured data say that the page is not free to read (schema.org `isAccessibleForFree`)."""
        return _NOT_FREE.search(self.data) is not None


def read(tree: Element) -> Declared:
    """Returns what the page of `tree` declares."""
    metas: dict[str, str] = {}
    for meta in tree.iter("meta"):
        if name := meta.get("property") or meta.get("name"):
            metas.setdefault(name.lower(), meta.get("content") or "")
    scripts = (script for script in tree.iter("script") if script.get("type") == "application/ld+json")
    return Declared(metas, "\n".join(script.text or "" for script in scripts)[:_MAX_CHARS])


def features(declared: Declared) -> list[float]:
    """Returns one number for each of `NAMES`."""
    metas = declared.metas
    counts = dict.fromkeys(_GROUPS, 0)
    for name in _TYPE.findall(declared.data):
        if group := _TYPES.get(name):
            counts[group] += 1
    og = metas.get("og:type", "").lower()
    generator = metas.get("generator", "").lower()
    return [
        *(float(min(count, 3)) for count in counts.values()),
        *(float(name in og) for name in _OG),
        *(float(any(word in generator for word in words)) for words in _GENERATORS.values()),
        float("author" in metas or "article:author" in metas),
        float("article:published_time" in metas),
        float(any(name.startswith(("product:price", "og:price")) for name in metas)),
    ]
