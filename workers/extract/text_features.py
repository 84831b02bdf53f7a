"""Features of single blocks, independent of their context: lengths, endings, repeated words."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.extract.page_arrays import Column
from workers.page.blocks import BlockKind, TextBlock

FeatureColumns = dict[str, NDArray[Any]]

_HEADING = BlockKind.HEADING  # read once: see `BlockKind`
_STOPS = frozenset(".!?…。！？।۔؟")
_CLOSERS = "\"'”’»)]」』）"
# The features depend on these numbers: retrain the model after a change. Chosen by hand.
_MIN_COMPARED_CHARS = 8  # characters of a title or description that blocks are compared with, at least
_FEWEST = 5  # characters of a block that may repeat it, at least
_BEGIN = 20  # characters of a text that count as its beginning, at least
_SHORT = 80  # characters; only shorter lines are searched for `PHRASES`
_PHRASE = re.compile(r"[^\W\d_]+|©")

# Words of short lines of boilerplate, by kind.
PHRASES: dict[str, str] = {
    "more": "related recommended recommend also more read similar popular trending latest next previous continue mehr "
    "lesen weitere thema weiterlesen lire aussi plus voir leggi anche leer también más relacionadas leia mais lees "
    "ook meer läs läs mer les også читайте также еще もっと 関連 相关 更多",
    "letter": "subscribe newsletter sign signup inbox email abonnieren abonnez abonner abonnement inscription "
    "suscríbete suscribirse boletín iscriviti assine inschrijven подписка подпишитесь 購読 订阅",
    "rights": "copyright © rights reserved rechte vorbehalten droits réservés derechos reservados diritti riservati "
    "direitos rechten voorbehouden права защищены terms privacy impressum datenschutz",
    "credit": "photo photograph foto photos image images bild bilder quelle source getty reuters afp ap dpa epa "
    "shutterstock credit crédit crédits imagen imago istock picture caption illustration 写真 图",
    "talk": "comment comments reply replies kommentar kommentare commentaire commentaires comentario comentarios "
    "commenti log login register comentários reacties комментарии コメント 评论 antworten répondre responder",
}
_GROUP_BITS = {name: bit for bit, name in enumerate(PHRASES)}
_WORD_BITS: dict[str, int] = {}
for _name, _words in PHRASES.items():
    for _word in _words.split():
        _WORD_BITS[_word] = _WORD_BITS.get(_word, 0) | 1 << _GROUP_BITS[_name]


def phrase_flags(text: str) -> int:
    """Returns which of `PHRASES` a short line, in lower case, contains words of, as bits."""
    flags = 0
    for word in _PHRASE.findall(text):
        flags |= _WORD_BITS.get(word, 0)
    return flags


def ends_sentence(text: str) -> bool:
    """Returns True if `text` ends like a sentence. Quotation marks and brackets at the end are ignored."""
    last = text[-1:]
    return last in _STOPS or (last in _CLOSERS and text.rstrip(_CLOSERS)[-1:] in _STOPS)


def flag_columns(flags: Sequence[int] | NDArray[np.int64], count: int) -> NDArray[np.float32]:
    """Returns the lowest `count` bits of each of N flags, (count, N)."""
    rows = np.asarray(flags, np.int64)[None, :] >> np.arange(count)[:, None]
    return (rows & 1).astype(np.float32)


def text_features(blocks: Sequence[TextBlock], sizes: Sequence[float], title: str, description: str) -> FeatureColumns:
    """Returns a column for each feature of single `blocks`, N >= 1 rows each.

    `title` and `description` are the page's own, in any form.
    """
    texts = [block.text for block in blocks]
    lengths = np.array([len(text) for text in texts], np.float64)
    copies = Counter(texts)
    columns: FeatureColumns = {
        "size": np.array(sizes, np.float32),
        "link": _share([block.link for block in blocks], lengths),
        "bold": _share([block.bold for block in blocks], lengths),
        "italic": _share([block.italic for block in blocks], lengths),
        "commas": np.array([_commas(text) for text in texts], np.float32),
        "ends": np.array([ends_sentence(text) for text in texts], np.float32),
        "last": np.array([_LAST.get(text[-1]) or _last(text[-1]) for text in texts], np.float32),
        "kind": np.array([block.kind for block in blocks], np.float32),
        "after_image": np.array([block.after_image for block in blocks], np.float32),
        "copies": np.array([copies[text] for text in texts], np.float32),
    }
    plain = [text.casefold() for text in texts]
    columns["title_like"] = _likeness(plain, title)
    columns["description_like"] = _likeness(plain, description)
    flags = [phrase_flags(text) if len(text) < _SHORT else 0 for text in plain]
    columns |= _named("says", flags)
    columns |= _named("under", _under(flags, blocks))
    return columns


_LAST = {**dict.fromkeys(_STOPS, 1), ":": 2, "：": 2}


def _last(char: str) -> int:
    return 3 if char.isdigit() else 4 if char.isalpha() else 5


def _share(chars: Sequence[int], lengths: NDArray[np.float64]) -> Column:
    return np.minimum(np.array(chars, np.float64) / lengths, 1).astype(np.float32)


def _commas(text: str) -> int:
    commas = text.count(",")
    return commas if text.isascii() else commas + text.count("，") + text.count("、") + text.count("،")


def _named(prefix: str, flags: Sequence[int]) -> FeatureColumns:
    return {f"{prefix}_{name}": row for name, row in zip(PHRASES, flag_columns(flags, len(PHRASES)), strict=True)}


def _likeness(texts: Sequence[str], other: str) -> Column:
    """Returns how much each of `texts` and `other` have in common, from 0 to 1: more than 0 if one contains the other.

    A long beginning is enough. The case of `texts` is folded already.
    """
    wanted = " ".join(other.casefold().split())
    found = np.zeros(len(texts), np.float32)
    if len(wanted) < _MIN_COMPARED_CHARS:
        return found
    begin, most = _begin(wanted), 3 * len(wanted) + 100
    for number, text in enumerate(texts):
        if _FEWEST <= len(text) <= most:
            if text in wanted:
                found[number] = len(text) / len(wanted)
            elif begin in text:
                found[number] = len(wanted) / max(len(text), len(wanted))
            elif len(text) > _BEGIN and text[:_BEGIN] in wanted and _begin(text) in wanted:
                found[number] = 0.6 * len(text) / len(wanted)
    return found


def _begin(text: str) -> str:
    return text[: max(_BEGIN, int(len(text) * 0.7))]


def _under(flags: Sequence[int], blocks: Sequence[TextBlock]) -> list[int]:
    """Returns for each block the flags of the heading above it."""
    found, current = [], 0
    for flag, block in zip(flags, blocks, strict=True):
        found.append(current)
        if block.kind is _HEADING:
            current = flag
    return found
