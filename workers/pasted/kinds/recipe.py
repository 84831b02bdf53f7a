"""Tells recipes: lines with quantities, and sentences after them."""

import re
from collections.abc import Sequence

from workers.pasted.kinds.rows import NOTHING, Evidence, Row, weigh

# Chosen by hand, with the documents of tests/workers/pasted/kinds in view.
_LEAST_INGREDIENTS, _LEAST_UNITS = 3, 2  # lines
_INGREDIENT_WORDS = 9.0  # words, at most
_INGREDIENT_SHARE = 0.2  # of the lines from the first ingredient on
_HEAD_ROWS = 8  # lines above the ingredients in which servings and times stand, with their numbers
_HEAD_WORDS = 4.0  # words of the heading of ingredients and steps, at most
_DIGIT = re.compile(r"\d")
_NUMBER = r"(?:\d+(?:[.,/]\d+)?(?:\s?[-–]\s?\d+(?:[.,]\d+)?)?|[¼½¾⅓⅔⅛]|\d+\s?[¼½¾⅓⅔⅛])"
_UNIT = (
    r"(?:k?g|mg|m?l|[cd]l|cm|oz|lbs?|cups?|tsps?|tbsps?|teaspoons?|tablespoons?|pints?|cloves?|pinch|stick|cans?|EL|TL|Stück|Stk|Prise"
    r"|Zehen?|Bund|Dose|Tasse|c\.\s?à\s?[scт]\.?|cuill\w+|gousses?|pincée|cucchiai\w*|spicchi\w*|cucharad\w+|tazas?|dientes?|colher\w*"
    r"|xícaras?|dentes?|г|кг|мл|л|ст\.\s?л|ч\.\s?л|шт|стакан\w*|łyżk\w*|łyżeczk\w*|szklank\w*|ml|克|毫升|公克|千克|汤匙|茶匙|大匙|小匙|杯|个|個|枚|本|片|株|적당량|큰술|작은술"
    r"|컵|개|eetlepel\w*|theelepel\w*|msk|tsk|krm|dl|su bardağı|yemek kaşığı|çay kaşığı|κ\.σ|κ\.γ|γρ|غرام|ملعقة|كوب)"
)
_QUANTITY = re.compile(rf"(?:[•·*▢□☐–-]\s*)?{_NUMBER}(?=\s|[^\W\d_])", re.IGNORECASE)
_WITH_UNIT = re.compile(rf"(?:[•·*▢□☐–-]\s*)?{_NUMBER}\s?{_UNIT}(?!\w)", re.IGNORECASE)
_UNIT_AFTER = re.compile(
    rf"\S.*[\s…:：]\s?(?:(?:大さじ|小さじ|큰술|작은술){_NUMBER}|{_NUMBER}\s?{_UNIT})\W*\Z", re.IGNORECASE
)


def recipe(rows: Sequence[Row]) -> Evidence:
    """Returns the evidence of a recipe: ingredients, each with its quantity, and then what to do with them."""
    units = [_is_ingredient(row) and bool(_WITH_UNIT.match(row.text) or _UNIT_AFTER.match(row.text)) for row in rows]
    if sum(units) < _LEAST_UNITS:
        return NOTHING
    first = units.index(True)
    found = [
        unit or (_is_ingredient(row) and bool(_QUANTITY.match(row.text))) for unit, row in zip(units, rows, strict=True)
    ]
    steps = [at > first and (row.line.closed or row.line.item) for at, row in enumerate(rows)]
    told = any(row.line.closed and row.line.words > _HEAD_WORDS for row in rows[first:])
    if sum(found) < _LEAST_INGREDIENTS or sum(found) < _INGREDIENT_SHARE * (len(rows) - first) or not told:
        return NOTHING
    heading = [row.line.words <= _HEAD_WORDS and not row.line.closed for row in rows]
    goes_on = [have or step for have, step in zip(found, steps, strict=True)]
    top = range(max(0, first - _HEAD_ROWS), first)
    marked = [
        goes or (at in top and bool(_DIGIT.search(rows[at].text))) or (head and any(goes_on[at + 1 : at + 2]))
        for at, (goes, head) in enumerate(zip(goes_on, heading, strict=True))
    ]
    return weigh(rows, marked, _LEAST_INGREDIENTS)


def _is_ingredient(row: Row) -> bool:
    return row.line.words <= _INGREDIENT_WORDS and not row.line.closed
