"""The body of a page: its passages, judged by the model, chosen, and handed on as blocks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from contract.options import Focus
from workers.draft import Block, Judgement
from workers.extract.block_features import features, rows
from workers.extract.choose import choose, even_out, is_slip
from workers.extract.trafilatura_vote import reconsider
from workers.models.boosted_trees import BoostedTrees, load_model
from workers.page.blocks import Kind, Walked
from workers.page.class_names import BITS
from workers.page.head import read_head
from workers.page.tree import Element, parse
from workers.page.walk import CODES, TAGS, walk
from workers.page.words import bare

THRESHOLDS: Mapping[Focus, float] = {Focus.PRECISION: 0.65, Focus.BALANCED: 0.5, Focus.RECALL: 0.35}
_SCANT = 300  # characters; a page with less may hold its text for browsers without scripts
_AFTER = 6  # passages
_CHUNK = 1024  # passages judged at once, which bounds memory
_LEAST_BODY_CHARS = 200  # what is shorter is a teaser
_PROBABILITY = 0.85  # F1 of such texts on pages that show theirs, by the findings of earlier prototypes
_COMMENT = 1 << BITS["comment"]
_FORM = CODES["form"]
_LEAST_COMMENT_CHARS = 20


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


def find_body(
    tree: Element, html: str, title: str | None, focus: Focus = Focus.BALANCED, trees: BoostedTrees | None = None
) -> Body:
    """Returns the body of the page `tree`, parsed from `html`, without its headline, the `title`.

    `trees` judge its passages, those that come with Copydesk where none are given.
    """
    walked = walk_page(tree)
    if not walked.passages:
        return Body(walked)
    judged = judge(walked, tree, html, trees or load_model("page_blocks"))
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


def judge(walked: Walked, tree: Element, html: str, trees: BoostedTrees) -> list[float]:
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


def stated_body(text: str) -> Body | None:
    """Returns the body that `text` (plain, or HTML) is, or None where it is too short to be one."""
    if len(text) < _LEAST_BODY_CHARS:
        return None
    markup = text if "</" in text else "".join(f"<p>{escape(line)}</p>" for line in text.splitlines())
    walked = walk(parse(f"<html><body><div>{markup}</div></body></html>"))
    count = len(walked.passages)
    probabilities, kept = (_PROBABILITY,) * count, (True,) * count
    return Body(
        walked,
        tuple(as_blocks(walked, probabilities, kept)),
        Judgement(probabilities=probabilities, sizes=tuple(walked.sizes), kept=kept),
    )


def find_comments(walked: Walked, kept: Sequence[bool]) -> str | None:
    """Returns the text of the comments, a blank line between two passages; `kept` passages are the article's."""
    passages = zip(walked.passages, kept, strict=True)
    found = [passage.text for passage, keep in passages if not keep and _is_comment(walked, passage.container)]
    worded = [text for text in found if len(text) >= _LEAST_COMMENT_CHARS]
    return "\n\n".join(worded) or None


def _is_comment(walked: Walked, number: int) -> bool:
    held = walked.containers[number]
    return bool(held.inherited & _COMMENT) and held.tag != _FORM
