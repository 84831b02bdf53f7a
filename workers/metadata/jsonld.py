"""Reads JSON-LD, which may be broken, nested, or a graph, to flat nodes, and finds the node of the article."""

import html
import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

Node = Mapping[str, Any]

# A bound on work, chosen by hand; not measured.
_MAX_NODES = 2000  # JSON objects
_COMMENT = re.compile(r"<!--|-->|(?:/\*)?<!\[CDATA\[(?:\*/)?|(?:/\*)?\]\]>(?:\*/)?|^[ \t]*//.*$", re.MULTILINE)
_GAP = re.compile(r"[\s,;]*")
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_PAIR = re.compile(
    r'"(headline|datePublished|dateModified|dateCreated|inLanguage|articleSection)"\s*:\s*"((?:[^"\\]|\\.)*)"'
)
# The name of an author in a script that is broken elsewhere.
_AUTHOR = re.compile(r'"author"\s*:\s*[\[{\s]*(?:"@type"\s*:\s*"Person"\s*,\s*)?"name"\s*:\s*"((?:[^"\\]|\\.)*)"')
_CURLY = re.compile("[“”„‟]")
_QUOTE = re.compile(r'(?<!\\)"')
_STRING_END = re.compile(r'\s*(?:[:}\]]|,\s*["{\[}\]]|$)')
_ARTICLE = re.compile(r"(?:Article|Posting|Report|Review|Recipe|BlogPost|LiveBlog\w*|OpinionPiece)$")
_ASIDE = frozenset({"hasPart", "itemListElement", "mentions", "relatedLink", "citation", "comment", "isBasedOn"})


def read_scripts(scripts: Iterable[str]) -> tuple[Node, ...]:
    """Returns every object in the JSON-LD `scripts`, outer ones first, as they stand on the page.

    Objects about something else than the article (related pages, comments, lists) are left out. Trailing commas,
    comments, control characters and several values in one script are accepted. From a script that is still invalid,
    only a few fields are read, by a pattern.
    """
    nodes: list[Node] = []
    for script in scripts:
        for value in _values(script):
            nodes += _flatten(value, _MAX_NODES - len(nodes))
    return tuple(nodes)


def _values(script: str) -> list[Any]:
    for mend in (_as_is, _without_slips, html.unescape, _with_straight_quotes, _with_inner_quotes_escaped):
        try:
            return _decode_all(mend(script))
        except (ValueError, RecursionError):
            continue
    pairs: Node = dict(reversed(_PAIR.findall(script)))
    authors = [{"@type": "Person", "name": name} for name in _AUTHOR.findall(script)]
    return [{"@type": "Article", **pairs, **({"author": authors} if authors else {})}] if pairs or authors else []


def _as_is(script: str) -> str:
    return script


def _without_slips(script: str) -> str:
    return _TRAILING_COMMA.sub(r"\1", _COMMENT.sub("", script))


def _with_straight_quotes(script: str) -> str:
    """Returns `script` with `"` in place of curly quotes, and of `'` if there are no others."""
    script = _CURLY.sub('"', _without_slips(script))
    return script if '"' in script else script.replace("'", '"')


def _with_inner_quotes_escaped(script: str) -> str:
    """Returns `script` with a backslash before quotes inside strings: those after which no value can end."""
    pieces: list[str] = []
    end, inside = 0, False
    for match in _QUOTE.finditer(script := _without_slips(script)):
        inner = inside and _STRING_END.match(script, match.end()) is None
        pieces += [script[end : match.start()], '\\"' if inner else '"']
        inside, end = inner or not inside, match.end()
    return "".join([*pieces, script[end:]])


def _decode_all(text: str) -> list[Any]:
    decoder = json.JSONDecoder(strict=False)
    values: list[Any] = []
    end = _past_gap(text, 0)
    while end < len(text) and len(values) < _MAX_NODES:
        value, end = decoder.raw_decode(text, end)
        values.append(value)
        end = _past_gap(text, end)
    return values


def _past_gap(text: str, start: int) -> int:
    match = _GAP.match(text, start)
    return match.end() if match else start


def _flatten(value: object, limit: int) -> list[Node]:
    nodes: list[Node] = []
    waiting = deque([value])
    while waiting and len(nodes) < limit:
        item = waiting.popleft()
        if isinstance(item, list):
            waiting.extendleft(reversed(item))
        elif isinstance(item, dict):
            nodes.append(item)
            waiting.extend(inner for key, inner in item.items() if key not in _ASIDE and isinstance(inner, dict | list))
    return nodes


def types_of(node: Node) -> tuple[str, ...]:
    """Returns the node's types without the URL of their vocabulary."""
    return tuple(str(name).rpartition("/")[2] for name in as_list(node.get("@type")))


def find_article(nodes: Iterable[Node], url: str | None) -> Node:
    """Returns the node that describes the page's article, an empty one if there is none.

    A node with the page's own path takes precedence over those before it.
    """
    articles = [node for node in nodes if any(_ARTICLE.search(name) for name in types_of(node))]
    path = _path(url)
    own = [node for node in articles if path and path in {_path(address) for address in _addresses(node)}]
    return next(iter(own + articles), {})


def _addresses(node: Node) -> Iterator[str]:
    for key in ("url", "@id", "mainEntityOfPage"):
        yield from strings(node.get(key), "@id", "url")


def _path(url: str | None) -> str:
    try:
        return urlsplit(url or "").path.rstrip("/")
    except ValueError:
        return ""


def follow(value: object, nodes: Iterable[Node]) -> list[object]:
    """Returns `value` as a list, each reference to a node replaced by that node if there is one.

    A reference is `{"@id": …}` without a name, or the id itself as a string.
    """
    items = as_list(value)
    if not any(map(_id, items)):
        return items
    known = [node for node in nodes if isinstance(node.get("@id"), str) and len(node) > 1]
    by_id = {node["@id"]: node for node in sorted(known, key=lambda node: (bool(_name_of(node)), len(node)))}
    return [by_id.get(_id(item), item) for item in items]


def _id(item: object) -> str:
    """Returns the id that `item` refers to, empty if it is no reference."""
    if isinstance(item, str):
        return item if item.startswith("#") or "://" in item else ""
    value = item.get("@id") if isinstance(item, dict) and not _name_of(item) else None
    return value if isinstance(value, str) else ""


def strings(value: object, *keys: str) -> list[str]:
    """Returns the non-empty strings in `value`: itself, its items, or the value of the first of `keys` in an object."""
    found: list[str] = []
    for item in as_list(value):
        inner = next((item[key] for key in keys if item.get(key)), None) if isinstance(item, dict) else item
        found += [text.strip() for text in as_list(inner) if isinstance(text, str) and text.strip()]
    return found


def names(value: object) -> list[str]:
    """Returns the names in `value`: strings, or the names of persons and organisations, whole, in parts or nested."""
    return [name for item in as_list(value) for name in (_name_of(item) if isinstance(item, dict) else strings(item))]


def _name_of(item: Node) -> list[str]:
    named = item.get("name")
    if isinstance(named, dict):
        return strings(named, "name", "@value") or _parts_of(named)
    return strings(named, "@value", "name") or _parts_of(item) or strings(item.get("author"), "name")


def _parts_of(item: Node) -> list[str]:
    parts = [*strings(item.get("givenName"))[:1], *strings(item.get("familyName"))[:1]]
    return [" ".join(parts)] if parts else []


def moments(value: object) -> list[str]:
    """Returns the dates in `value` as text; numbers are seconds or milliseconds."""
    return [text for item in as_list(value) for text in ([str(item)] if _is_number(item) else strings(item))]


def _is_number(item: object) -> bool:
    return isinstance(item, int | float) and not isinstance(item, bool)


def as_list(value: object) -> list[Any]:
    """Returns a list unchanged, an empty one for None, and any other value as the only item of a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
