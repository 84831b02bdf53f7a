"""Chooses the blocks of the body, by the model's probabilities and by fixed rules."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from contract.options import Focus
from workers.extract.together import keep_together
from workers.outputs.code import language_of
from workers.page.blocks import BlockKind, SegmentedPage, TextBlock
from workers.page.class_names import ASIDE, NO_TEXT, PANEL, UNSHOWN
from workers.page.panels import asks_to_read_on
from workers.page.tree import Element
from workers.page.words import bare

# .5 is more likely than not; the other two were chosen by hand and are not measured (docs/quality.md).
THRESHOLDS: Mapping[Focus, float] = {Focus.PRECISION: 0.65, Focus.BALANCED: 0.5, Focus.RECALL: 0.35}
# Bits of blocks that are left out: always, and by focus. Precision keeps only text that a page shows at first.
_UNREAD = ASIDE | NO_TEXT
_HIDDEN: Mapping[Focus, int] = {Focus.PRECISION: UNSHOWN | PANEL, Focus.BALANCED: UNSHOWN, Focus.RECALL: 0}
_MAIL_LINK = re.compile(
    r"(?:click here to )?unsubscribe(?: here| now)?|manage (?:your )?(?:email )?(?:preferences|subscriptions?)"
    r"|(?:view|read|open)(?: this)?(?: e-?mail| message| newsletter| it)?(?: online| in (?:your |a )?(?:web ?)?browser)"
    r"|(?:newsletter )?ab(?:be)?(?:melden|stellen)|im browser (?:ansehen|anzeigen|öffnen)|se désabonner|se désinscrire"
    r"|voir (?:en ligne|dans (?:le|votre) navigateur)|darse de baja|cancelar (?:la )?suscripción|ver en el navegador"
    r"|annulla iscrizione|cancellati|disiscriviti|visualizza nel browser|cancelar (?:a )?(?:inscrição|subscrição)"
    r"|ver no navegador|uitschrijven|afmelden|bekijk (?:online|in (?:je|uw) browser)|avsluta prenumeration"
    r"|wypisz się|отписаться|открыть в браузере|退订|配信停止",
    re.IGNORECASE,
)
_CONTROL_CHARS = 120  # characters of a line around such a link; chosen by hand
# Chosen by hand.
_HEAD = 3  # kept blocks in which the headline is looked for: a kicker or a byline may stand before it
_MOST = 0.8  # share of the characters from which on unread blocks are kept after all
# The same for hidden blocks. Of 23 pages of wcxb that hide text like that of articles, four hide more than half of it.
# If they keep it, three gain .34 to .50 of F1, and one loses .27.
_HALF = 0.5
_SHORT_PAGE_CHARS, _SHORT_PAGE_BLOCKS = 300, 5  # characters, and blocks, that a short page has at most
_ACTIVE = ("script", "noscript", "form", "input", "button", "iframe", "frameset")
_NOTE_CHARS = 80  # characters hidden within a line; fewer are a note for programs or a label
_DOUBLE = 40  # characters; a shorter text may legitimately occur twice in an article


class ChosenBlocks(NamedTuple):
    """`kept`: for each block, True if it is kept. `hidden`: characters left out because the page hides them."""

    kept: list[bool]
    hidden: float = 0.0


def choose_blocks(
    segmented: SegmentedPage, probabilities: Sequence[float], focus: Focus, title: str | None
) -> ChosenBlocks:
    """Returns which blocks are kept, and how much hidden text is left out.

    Left out are captions, copies of other blocks, links as “read more” and “unsubscribe”, the `title` at the top, and
    headings that nothing follows. Hidden blocks are kept as far as `focus` asks for them.
    """
    kept = [
        probability >= THRESHOLDS[focus] and block.kind is not BlockKind.CAPTION
        for block, probability in zip(segmented.blocks, probabilities, strict=True)
    ]
    keep_together(segmented, probabilities, kept)
    unread = _no_text(segmented, kept, _UNREAD, _MOST)
    hidden = [number for number in _no_text(segmented, kept, _HIDDEN[focus], _HALF) if number not in unread]
    apart = [*unread, *hidden]
    for numbers in (apart, _repeated_blocks(segmented, kept, probabilities, apart), _controls(segmented, kept)):
        for number in numbers:
            kept[number] = False
    for number in [*_headlines(segmented.blocks, kept, title), *_dangling(segmented.blocks, kept)]:
        kept[number] = False
    return ChosenBlocks(kept, _hidden_size(segmented, kept, hidden))


def is_short_text_page(segmented: SegmentedPage, tree: Element) -> bool:
    """Returns True if a page consists of a few short lines, without scripts and forms: these lines are its text.

    The model is trained on pages with other content around their text.
    """
    chars = sum(len(block.text) for block in segmented.blocks)
    return (
        chars <= _SHORT_PAGE_CHARS
        and len(segmented.blocks) <= _SHORT_PAGE_BLOCKS
        and next(tree.iter(*_ACTIVE), None) is None
    )


def _no_text(segmented: SegmentedPage, kept: Sequence[bool], unread: int, most: float) -> list[int]:
    """Returns the kept blocks with one of the bits `unread`, or none if these are the share `most` of the text.

    In that case a script shows them later, or the page contains only the consent dialog.
    """
    chosen = [number for number, keep in enumerate(kept) if keep]
    apart = [number for number in chosen if _inherited(segmented, number) & unread]
    size, of_all = (sum(len(segmented.blocks[number].text) for number in numbers) for numbers in (apart, chosen))
    return apart if size < most * of_all else []


def _inherited(segmented: SegmentedPage, number: int) -> int:
    return segmented.containers[segmented.blocks[number].container].inherited


def _hidden_size(segmented: SegmentedPage, kept: Sequence[bool], hidden: Sequence[int]) -> float:
    """Returns the characters of the `hidden` blocks shown nowhere else, and of hidden pieces within kept blocks."""
    shown = {block.text for block, keep in zip(segmented.blocks, kept, strict=True) if keep}
    within = [
        chars for number, chars in segmented.hidden if chars >= _NOTE_CHARS and kept[number : number + 1] == [True]
    ]
    return sum(within) + sum(segmented.sizes[each] for each in hidden if segmented.blocks[each].text not in shown)


def _controls(segmented: SegmentedPage, kept: Sequence[bool]) -> list[int]:
    """Returns the short kept blocks that are “read more” links, links of newsletters, or name the language of code."""
    return [
        number
        for number, (block, keep) in enumerate(zip(segmented.blocks, kept, strict=True))
        if keep
        and len(block.text) <= _CONTROL_CHARS
        and (_is_control(segmented, block) or _names_language(segmented, number))
    ]


def _is_control(segmented: SegmentedPage, block: TextBlock) -> bool:
    if block.link and asks_to_read_on(block.text):
        return True
    if segmented.containers[block.container].element.tag == "button":
        return asks_to_read_on(block.text)
    return any(_MAIL_LINK.fullmatch(run.text.strip()) for run in block.runs) if block.link else False


def _names_language(segmented: SegmentedPage, number: int) -> bool:
    """Returns True if a block is the name of the language of the code right below it."""
    following = segmented.blocks[number + 1 : number + 2]
    if not following or following[0].kind is not BlockKind.PREFORMATTED:
        return False
    pre = segmented.containers[following[0].container].element
    return language_of(pre) == segmented.blocks[number].text.lower()


def _repeated_blocks(
    segmented: SegmentedPage, kept: Sequence[bool], probabilities: Sequence[float], apart: Sequence[int]
) -> list[int]:
    """Returns the less probable ones of equal blocks. Those with the same parent stay: lists may repeat themselves."""
    best: dict[str, int] = {}
    found, left_out = [], set(apart)
    for number, block in enumerate(segmented.blocks):
        if not kept[number] or number in left_out or len(block.text) < _DOUBLE:
            continue
        other = best.setdefault(block.text, number)
        if other == number or _parent(segmented, other) == _parent(segmented, number):
            continue
        if probabilities[number] > probabilities[other]:
            best[block.text] = number
            found.append(other)
        else:
            found.append(number)
    return found


def _parent(segmented: SegmentedPage, number: int) -> int:
    return segmented.containers[segmented.blocks[number].container].parent


def _headlines(blocks: Sequence[TextBlock], kept: Sequence[bool], title: str | None) -> list[int]:
    first = [number for number, keep in enumerate(kept) if keep][:_HEAD]
    wanted = bare(title or "")
    return [number for number in first if wanted and bare(blocks[number].text) == wanted]


def _dangling(blocks: Sequence[TextBlock], kept: Sequence[bool]) -> Iterator[int]:
    """Yields the headings at the end: the text below them was not kept."""
    for number in reversed([number for number, keep in enumerate(kept) if keep]):
        if blocks[number].kind is not BlockKind.HEADING:
            return
        yield number
