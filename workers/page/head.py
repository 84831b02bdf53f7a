"""What a page's head says of it, as far as the text's choice depends on it."""

from dataclasses import dataclass

from workers.page.tree import Element

_NAMES = ("og:title", "og:description", "description", "og:type")


@dataclass(frozen=True, slots=True)
class Head:
    """The page's title and description as declared, and whether it calls itself an article."""

    title: str = ""
    description: str = ""
    says_article: bool = False


def read_head(tree: Element, html: str) -> Head:
    """Returns what the `<title>` and `<meta>` elements of `tree`, parsed from `html`, say."""
    found: dict[str, str] = {}
    for meta in tree.iter("meta"):
        name = (meta.get("property") or meta.get("name") or "").lower()
        if name in _NAMES and name not in found:
            found[name] = meta.get("content") or ""
    title = tree.find(".//title")
    return Head(
        title=found.get("og:title") or ("" if title is None else title.text or ""),
        description=found.get("og:description") or found.get("description") or "",
        says_article=found.get("og:type") == "article" or '"datePublished"' in html,
    )
