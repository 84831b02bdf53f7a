"""Writes formulas as text: the TeX that a page gives with its MathML, or the MathML on one line if there is none."""

import re
from collections.abc import Callable, Sequence

from workers.page.tree import Element

_TEX = frozenset({"application/x-tex", "latex", "tex", "text/x-tex"})
_STYLE = re.compile(r"\{\\(?:display|text|script|scriptscript)style\s*(.*)\}", re.DOTALL)
_SILENT = frozenset({"annotation", "annotation-xml", "mphantom", "maction"})
_MAX_NESTED = 40  # elements inside each other; deeper ones are left out. Chosen by hand.


def formula_text(math: Element) -> str:
    """Returns the formula of a `<math>` element on one line."""
    for annotation in math.iter("annotation"):
        if (annotation.get("encoding") or "").lower() in _TEX and annotation.text:
            return tex_text(annotation.text)
    return tex_text(math.get("alttext") or "") or " ".join(_linear(math, 0).split())


def tex_text(tex: str) -> str:
    """Returns TeX on one line, without a style command around it that only sets the size."""
    line = " ".join(tex.split())
    found = _STYLE.fullmatch(line)
    return found[1].strip() if found else line


def _linear(element: Element, depth: int) -> str:
    if element.tag in _SILENT or depth > _MAX_NESTED:
        return ""
    if not len(element):
        return (element.text or "").strip()
    parts = [_linear(child, depth + 1) for child in element if child.tag not in _SILENT]
    write = _WRITERS.get(element.tag)
    if write is not None and len(parts) >= _NEEDED[element.tag]:
        return write(parts)
    return "".join(parts)


def _grouped(part: str) -> str:
    return part if len(part) <= 1 or part.isalnum() else f"({part})"


def _fraction(parts: Sequence[str]) -> str:
    return f"{_grouped(parts[0])}/{_grouped(parts[1])}"


def _power(parts: Sequence[str]) -> str:
    return f"{parts[0]}^{_grouped(parts[1])}"


def _over(parts: Sequence[str]) -> str:
    is_accent = len(parts[1]) == 1 and not parts[1].isalnum()
    return parts[0] + parts[1] if is_accent else _power(parts)


def _index(parts: Sequence[str]) -> str:
    return f"{parts[0]}_{_grouped(parts[1])}"


def _both(parts: Sequence[str]) -> str:
    return f"{parts[0]}_{_grouped(parts[1])}^{_grouped(parts[2])}"


def _root(parts: Sequence[str]) -> str:
    return f"√{_grouped(''.join(parts))}"


_WRITERS: dict[str, Callable[[Sequence[str]], str]] = {
    "mfrac": _fraction,
    "msup": _power,
    "mover": _over,
    "mtr": " ".join,
    "mtable": "; ".join,
    **dict.fromkeys(("msub", "munder"), _index),
    **dict.fromkeys(("msubsup", "munderover"), _both),
    "msqrt": _root,
}
_NEEDED = {
    "mtr": 1,
    "mtable": 1,
    "mfrac": 2,
    "msup": 2,
    "mover": 2,
    "msub": 2,
    "munder": 2,
    "msubsup": 3,
    "munderover": 3,
    "msqrt": 1,
}
