"""Reads code: its lines, and the language that the page declares."""

import re

from workers.outputs.structure import Node
from workers.page.tree import Element

_NAMED = re.compile(
    r"(?:^|\s)(?:lang(?:uage)?-|highlight-(?:source-|text-)?|brush:\s*|src-|code-|prettyprint\s+lang-|sourceCode\s+|hljs\s+(?!lang))"
    r"([A-Za-z][\w+#.-]{0,29})"
)
_ATTRIBUTES = ("data-lang", "data-language", "data-code-language")
_LANGUAGE = re.compile(r"[A-Za-z][\w+#.-]{0,29}")
_NONE = frozenset({"plaintext", "text", "none", "nohighlight", "plain", "block", "wrapper", "container", "toolbar"})
_AROUND = 2  # elements around a `pre` that may name the language


def code_text(pre: Node) -> str:
    """Returns the text of code; a page may have an element for each line."""
    return "\n".join(block.text for block in pre.blocks())


def code_language(pre: Node) -> str | None:
    """Returns the language of code in lower case, as the classes of the page name it."""
    return None if pre.element is None else language_of(pre.element)


def language_of(pre: Element) -> str | None:
    """Returns the language of the code in a `<pre>`."""
    inner = list(pre.iter("code"))[:1]
    around = list(pre.iterancestors())[:_AROUND]
    return next(filter(None, map(_named, (*inner, pre, *around))), None)


def _named(element: Element) -> str | None:
    names = [match[1] for match in _NAMED.finditer(element.get("class") or "")]
    names += [element.get(name) or "" for name in _ATTRIBUTES]
    for name in names:
        if _LANGUAGE.fullmatch(name) and name.lower() not in _NONE:
            return name.lower()
    return None
