"""Digits above and below the line, in characters: 100² is not 1002, and CO₂ has no 2 of its own."""

_TABLES = {
    "sup": str.maketrans("0123456789+-−=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱ"),
    "sub": str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎"),
}
RAISED_TAGS = frozenset(_TABLES)
# Chosen by hand: what is longer is no exponent, index or mark of a note, but small print.
_MAX_CHARS = 12


def raised(text: str, tag: str) -> str:
    """Returns `text` as it stands in a `sup` or `sub`, whichever `tag` is: digits and signs in characters of their own.

    Letters stay as they are, for “19th” and “Mme” are read without, and so do marks of notes in brackets.
    """
    if len(text) > _MAX_CHARS or "[" in text or text.isalpha():
        return text
    return text.translate(_TABLES[tag])


_ON_THE_LINE = {above: plain for table in _TABLES.values() for plain, above in table.items()} | {ord("−"): ord("-")}
_ON_THE_LINE |= dict.fromkeys((ord("⁻"), ord("₋")), ord("-"))  # what stands for both of the two signs


def on_the_line(text: str) -> str:
    """Returns `text` with digits and signs as they are on the line, for asking whether two texts say the same."""
    return text if text.isascii() else text.translate(_ON_THE_LINE)
