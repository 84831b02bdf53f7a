"""HTML to a draft: one parse, metadata by our own resolvers, the text by trafilatura."""

import re

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring
from trafilatura import bare_extraction

from contract.reasons import Reason
from workers.draft import Draft
from workers.extract_prune import prune
from workers.extract_text import render
from workers.failures import Failed
from workers.metadata.resolve import Metadata, read_metadata

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_TAG = re.compile(r"<[a-zA-Z!/]")


def read_html(html: str, url: str | None) -> Draft:
    """Returns the article in a page, with its metadata. `url` is where the page came from, if that is known.

    Raises:
        Failed: no article: not HTML, nothing that could be one, or a parser gave up on it.
    """
    tree = _parse(html)
    try:
        metadata = read_metadata(tree, url)
        prune(tree)
        document = bare_extraction(tree, url=url, include_comments=False)
    except (MemoryError, RecursionError):
        raise  # of the process, not of the page: whoever set the limits knows what they mean
    except Exception as error:
        raise Failed(Reason.NO_ARTICLE, f"{type(error).__name__} while extracting") from error
    body = getattr(document, "body", None)
    text = render(body, metadata.title.value if metadata.title else None) if body is not None else ""
    if not text:
        raise Failed(Reason.NO_ARTICLE, "no text found in the page")
    return _draft(text, metadata)


def _draft(text: str, found: Metadata) -> Draft:
    return Draft(
        text=text,
        title=found.title,
        authors=found.authors,
        published=found.published,
        modified=found.modified,
        language=found.language,
        site_name=found.site_name,
        canonical_url=found.canonical_url,
        description=found.description,
        image=found.image,
        license=found.license,
        categories=found.categories,
        tags=found.tags,
        candidates=found.candidates,
    )


def _parse(html: str) -> HtmlElement:
    if not _TAG.search(html):
        raise Failed(Reason.NO_ARTICLE, "not HTML: no tag in it")
    # Bytes, because lxml refuses a str that declares an encoding; without huge_tree libxml2 bounds depth and text.
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        return document_fromstring(_NOT_XML.sub("", html).encode(), parser=parser)
    except (etree.LxmlError, ValueError) as error:
        raise Failed(Reason.NO_ARTICLE, f"not HTML: {type(error).__name__}") from error
