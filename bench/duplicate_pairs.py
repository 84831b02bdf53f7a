"""Makes versions of the same articles, for `bench/duplicates.py`: other extractions, pastes, other frames."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lxml.html
import orjson
from tld import get_fld

from bench.documents import read
from contract.job import Job, Kind, Lane
from contract.options import Focus, Options
from workers.document import RawDocument
from workers.failures import Failed
from workers.pipeline import extract_article

PAGES = ("scrapinghub", "fundus", "readability", "wcxb", "daniel", "trafilatura_eval", "postlight")
PASTES = ("paste", "paste_daniel")
_DANIEL_PARTS = 3  # of an id of daniel: the day, the host, a hash
_FRAMES = 2  # other pages that each article is put into
_FEWEST_CHARS = 400  # of the paragraphs of a page that can be a frame


@dataclass(frozen=True, slots=True)
class Version:
    """The text of a document in one form. `site` is empty where nobody knows it."""

    document: str
    site: str
    form: str
    text: str
    page_kind: str = "article"


def versions(data: Path, kept: Path, every: int, workers: int = 2) -> list[Version]:
    """Returns all versions of each `every`th document, and of the others their true texts.

    The first are kept in the file `kept`, because making them takes minutes.
    """
    if not kept.exists():
        with ProcessPoolExecutor(workers) as pool:
            made = [version for each in pool.map(_versions, _tasks(data, every), chunksize=8) for version in each]
        kept.write_bytes(b"".join(orjson.dumps(asdict(version)) + b"\n" for version in made))
    found = [Version(**orjson.loads(line)) for line in kept.read_bytes().splitlines()]
    documents = {version.document for version in found}
    return found + [version for version in _truths(data) if version.document not in documents]


def _truths(data: Path) -> Iterator[Version]:
    for page in _pages(data):
        if text := (page["truth"] or {}).get("text"):
            yield Version(page["id"], page["site"], "truth", text)


def _pages(data: Path) -> Iterator[dict[str, Any]]:
    for name in PAGES:
        for document in read(data / f"{name}.jsonl.zst"):
            yield {**document, "id": f"{name}/{document['id']}", "site": _site(name, document)}


def _tasks(data: Path, every: int) -> Iterator[dict[str, Any]]:
    pages = list(_pages(data))[::every]
    sites = {page["id"]: page["site"] for page in pages}
    frames = [page["html"] for page in pages if page["kind"] == "article" and _container(page["html"]) is not None]
    for number, page in enumerate(pages):
        others = [frames[(7 * number + 101 * step + 13) % len(frames)] for step in range(_FRAMES)]
        yield {**page, "frames": others}
    for name in PASTES:
        for document in read(data / f"{name}.jsonl.zst"):
            of = document["id"].rpartition("/")[0]
            if of in sites:
                yield {"id": of, "site": sites[of], "variant": document["variant"], "text": document["text"]}


def _site(name: str, document: Mapping[str, Any]) -> str:
    if name == "daniel":
        parts = str(document["id"]).split("_")
        return parts[1] if len(parts) == _DANIEL_PARTS else ""
    url = document.get("url") or ""
    return get_fld(url, fail_silently=True, fix_protocol=True) or ""


def _versions(task: dict[str, Any]) -> list[Version]:
    if "text" in task:
        found = _extracted(task["text"], None, is_html=False)
        return _made(task, f"pasted, {task['variant']}", found)
    made = _made(task, "page", _extracted(task["html"], task.get("url"), is_html=True))
    truth = (task["truth"] or {}).get("text")
    if task["kind"] != "article" and not task["id"].startswith("daniel"):
        return made
    for focus in (Focus.PRECISION, Focus.RECALL):
        made += _made(task, f"page, {focus}", _extracted(task["html"], task.get("url"), is_html=True, focus=focus))
    if truth:
        made.append(Version(task["id"], task["site"], "truth", truth))
        for number, frame in enumerate(task["frames"], 1):
            page = framed(truth, task["truth"].get("title"), frame)
            made += _made(task, f"other page {number}", _extracted(page, None, is_html=True))
    return made


def _made(task: dict[str, Any], form: str, found: tuple[str, str] | None) -> list[Version]:
    return [] if found is None else [Version(task["id"], task["site"], form, found[0], found[1])]


def _extracted(
    content: str, url: str | None, *, is_html: bool, focus: Focus = Focus.BALANCED
) -> tuple[str, str] | None:
    job = Job(
        id="bench",
        kind=Kind.HTML if is_html else Kind.TEXT,
        lane=Lane.BULK,
        accepted_at="2026-11-29T00:00:00Z",
        content=content,
        options=Options(focus=focus),
    )
    try:
        article = extract_article(RawDocument(job=job, content=content, is_html=is_html, url=url))
    except Failed:
        return None
    return article.text, article.page_kind or "article"


def framed(text: str, title: str | None, frame: str) -> str:
    """Returns the page `frame` with this text in place of its own paragraphs, and this title."""
    found = _container(frame)
    assert found is not None
    tree, container = found
    own = [child for child in container if child.tag in {"p", "ul", "ol", "h2", "h3", "blockquote", "figure"}]
    at = container.index(own[0])
    for child in own:
        container.remove(child)
    for number, paragraph in enumerate(text.split("\n")):
        element = lxml.html.Element("p")
        element.text = paragraph
        container.insert(at + number, element)
    for heading in [*tree.iter("h1"), *tree.iter("title")]:
        heading.clear()
        heading.text = title or text[:60]
    return str(lxml.html.tostring(tree, encoding="unicode"))


def _container(page: str) -> tuple[Any, Any] | None:
    """Returns a page's tree and the element whose own paragraphs hold the most text, None if none holds enough."""
    tree = lxml.html.document_fromstring(page.encode(), parser=lxml.html.HTMLParser(encoding="utf-8"))
    sizes: dict[Any, int] = {}
    for paragraph in tree.iter("p"):
        parent = paragraph.getparent()
        if parent is not None:
            sizes[parent] = sizes.get(parent, 0) + len("".join(map(str, paragraph.itertext())).strip())
    largest = max(sizes, key=lambda parent: sizes[parent], default=None)
    return None if largest is None or sizes[largest] < _FEWEST_CHARS else (tree, largest)
