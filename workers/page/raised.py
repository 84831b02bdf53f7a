"""Writes the digits of `<sup>` and `<sub>` as superscript and subscript characters: 100² must not become 1002."""

_TABLES = {
    "sup": str.maketrans("0123456789+-−=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱ"),
    "sub": str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎"),
}
RAISED_TAGS = frozenset(_TABLES)
# Chosen by hand: longer text is small print, not an exponent, an index or a footnote mark.
_MAX_CHARS = 12


def raised(text: str, tag: str) -> str:
    """Returns the `text` of a `sup` or `sub`, as `tag` says, with superscript or subscript digits and signs.

    Letters stay as they are, as in “19th” and “Mme”, and so do footnote marks in brackets.
    """
    if len(text) > _MAX_CHARS or "[" in text or text.isalpha():
        return text
    return text.translate(_TABLES[tag])


_ON_THE_LINE = {above: plain for table in _TABLES.values() for plain, above in table.items()} | {ord("−"): ord("-")}
_ON_THE_LINE |= dict.fromkeys((ord("⁻"), ord("₋")), ord("-"))  # hyphen and minus sign share these


def on_the_line(text: str) -> str:
    """Returns `text` with plain digits and signs in place of raised and lowered ones, for comparing texts."""
    return text if text.isascii() else text.translate(_ON_THE_LINE)
