import unicodedata
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.workers.pasted.samples import MESSY
from workers.pasted.lines import lines_of
from workers.pasted.noise_rules import Rule
from workers.pasted.quoted_replies import unquote
from workers.pasted.repair import repair
from workers.pasted.text_reader import read_text
from workers.pasted.wrapping import unwrap

LINES = sorted({line for sample in MESSY for line in sample.pasted.splitlines()})
PASTED = st.lists(st.one_of(st.sampled_from(LINES), st.text(max_size=30)), max_size=30).map("\n".join)
TEXTS = st.one_of(st.text(), PASTED)


@given(TEXTS)
def test_output_is_nfc_with_no_controls(text: str) -> None:
    read = read_text(text).text
    assert unicodedata.is_normalized("NFC", read)
    assert not any(unicodedata.category(char) in {"Cc", "Cs"} for char in read.replace("\n", ""))
    assert read == read.strip()
    assert "\n\n\n" not in read


@given(TEXTS)
def test_reading_again_changes_nothing(text: str) -> None:
    once = read_text(text).text
    assert read_text(once).text == once


@given(TEXTS)
def test_every_line_is_kept_or_removed(text: str) -> None:
    draft = read_text(text)
    kept = [block.text for block in lines_of(draft.text.split("\n"))]
    lines = Counter(_bare(block.text) for block in lines_of(unwrap(list(map(unquote, repair(text))))))
    assert Counter(map(_bare, kept)) + Counter(_bare(removed.text) for removed in draft.removed) == lines


@given(TEXTS)
def test_every_removal_names_a_rule(text: str) -> None:
    assert all(Rule(removed.rule) for removed in read_text(text).removed)


def _bare(text: str) -> str:
    """Returns the line without the number or bullet that lists remove."""
    return text.lstrip("0123456789.()•‣◦▪▫●○■□◆◇►▶▸▹❖➤➢→✓✔✅·∙⁃–*+- ")
