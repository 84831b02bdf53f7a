"""Scripts written without spaces between words, where a character is the unit to count and compare by."""

# Letters only: marks above and below them belong to the letter before. East Asia first, then Thai, Lao, Burmese, Khmer.
# Hangul is not here: Korean has spaces.
UNSPACED = (
    "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003ffff"
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd-\u0ec6\u1000-\u102a\u1780-\u17b3"
)
"""The inside of a regular expression's character class."""
