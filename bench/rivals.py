"""Other extractors, called as their users do: text of a page, with the metadata that they return."""

import logging
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import trafilatura

Extract = Callable[[dict[str, Any]], str]


def trafilatura_default(document: dict[str, Any]) -> str:
    found = trafilatura.bare_extraction(document["html"], url=document.get("url"), with_metadata=True)
    return (getattr(found, "text", None) or "") if found else ""


def resiliparse(document: dict[str, Any]) -> str:
    from resiliparse.extract.html2text import extract_plain_text  # noqa: PLC0415 - not installed with Copydesk

    text: str = extract_plain_text(document["html"], main_content=True, alt_texts=False)
    return text


def readability_lxml(document: dict[str, Any]) -> str:
    from lxml.html import fromstring  # noqa: PLC0415 - beside the next
    from readability import Document  # noqa: PLC0415 - not installed with Copydesk

    summary = Document(document["html"], url=document.get("url")).summary()
    return "\n".join(str(text) for text in fromstring(summary).itertext() if str(text).strip())


def newspaper4k(document: dict[str, Any]) -> str:
    from newspaper import Article  # noqa: PLC0415 - not installed with Copydesk

    article = Article(document.get("url") or "https://www.example.org/", fetch_images=False)
    article.download(input_html=document["html"])
    article.parse()
    text: str = article.text
    return text


_RIVALS: dict[str, tuple[str, Extract]] = {
    "trafilatura": ("trafilatura", trafilatura_default),
    "resiliparse": ("resiliparse", resiliparse),
    "readability-lxml": ("readability-lxml", readability_lxml),
    "newspaper4k": ("newspaper4k", newspaper4k),
}


def installed() -> dict[str, Extract]:
    """Returns those that are installed, by name and version. `pip install --group bench` installs all."""
    logging.getLogger("newspaper").setLevel(logging.CRITICAL)
    logging.getLogger("readability").setLevel(logging.CRITICAL)
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    found = {}
    for name, (package, extract) in _RIVALS.items():
        try:
            found[f"{name} {version(package)}"] = _unfailing(extract)
        except PackageNotFoundError:
            print(f"{name} is not installed: left out")
    return found


def _unfailing(extract: Extract) -> Extract:
    def run(document: dict[str, Any]) -> str:
        try:
            return extract(document)
        except Exception:  # noqa: BLE001 - a page on which a rival fails has no text, and counts with its time
            return ""

    return run
