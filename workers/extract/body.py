"""The body of a page: its passages, judged by the model, chosen, and handed on as blocks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from contract.options import Focus
from workers.draft import Block, Judgement, Kind
from workers.extract.choose import choose, is_slip
from workers.extract.features import features, rows
from workers.extract.head import read_head
from workers.extract.lists import even_out
from workers.extract.second import reconsider
from workers.extract.walk import TAGS, Walked, walk
from workers.markup import Element
from workers.metadata.words import bare
from workers.trees import Trees

WEIGHTS = Path(__file__).with_name("blocks.npz")
THRESHOLDS: Mapping[Focus, float] = {Focus.PRECISION: 0.65, Focus.BALANCED: 0.5, Focus.RECALL: 0.35}
_SCANT = 300  # characters; a page with less may hold its text for browsers without scripts
_AFTER = 6  # passages
_CHUNK = 1024  # passages judged at once, which bounds memory


@dataclass(frozen=True, slots=True)
class Body:
    """What was chosen of a page, and how."""

    walked: Walked
    blocks: tuple[Block, ...] = ()
    judgement: Judgement = field(default_factory=Judgement)

    @property
    def after(self) -> list[str]:
        """The texts of the few passages that follow the last one kept."""
        last = max((number for number, keep in enumerate(self.judgement.kept) if keep), default=-1)
        return [passage.text for passage in self.walked.passages[last + 1 :][:_AFTER]]


@cache
def load_weights(file: Path = WEIGHTS) -> Trees:
    """Returns the trees in `file`, read once a process."""
    return Trees.load(file)


def find_body(
    tree: Element, html: str, title: str | None, focus: Focus = Focus.BALANCED, trees: Trees | None = None
) -> Body:
    """Returns the body of the page `tree`, parsed from `html`, without its headline, the `title`.

    `trees` judge its passages, those of `load_weights` where none are given.
    """
    walked = walk_page(tree)
    if not walked.passages:
        return Body(walked)
    judged = judge(walked, tree, html, trees or load_weights())
    probabilities = even_out(walked, reconsider(walked, judged, tree))
    kept = choose(walked, probabilities, THRESHOLDS[focus], title)
    if not any(kept) and is_slip(walked, tree):
        kept = [bare(passage.text) != bare(title or "") for passage in walked.passages]
    return Body(
        walked,
        tuple(as_blocks(walked, probabilities, kept)),
        Judgement(probabilities=tuple(probabilities), sizes=tuple(walked.sizes), kept=tuple(kept)),
    )


def walk_page(tree: Element) -> Walked:
    """Returns the passages of a page, those in `<noscript>` only where there is next to nothing else."""
    body = tree.find("body")
    walked = walk(tree if body is None else body)
    if sum(len(passage.text) for passage in walked.passages) < _SCANT:
        return walk(tree if body is None else body, noscript=True)
    return walked


def judge(walked: Walked, tree: Element, html: str, trees: Trees) -> list[float]:
    """Returns for each passage the probability of its being a part of the body."""
    table = rows(features(walked, read_head(tree, html)), trees.names)
    found: list[float] = []
    for start in range(0, len(table), _CHUNK):
        found += trees.probabilities(table[start : start + _CHUNK]).tolist()
    return found


def as_blocks(walked: Walked, probabilities: Sequence[float], kept: Sequence[bool]) -> list[Block]:
    """Returns the kept passages as blocks."""
    blocks = []
    for passage, probability, keep in zip(walked.passages, probabilities, kept, strict=True):
        if keep:
            held = walked.containers[passage.container]
            blocks.append(
                Block(
                    kind=passage.kind,
                    text=passage.text,
                    level=_level(passage.kind, held.tag, held.lists),
                    line=held.line,
                    probability=probability,
                    element=held.element,
                    runs=passage.runs,
                )
            )
    return blocks


def _level(kind: Kind, tag: int, lists: int) -> int:
    if kind is Kind.HEADING:
        name = TAGS[tag - 1]
        return int(name[1]) if name[0] == "h" and name[1:].isdigit() else 2
    return lists if kind is Kind.ITEM else 0
