import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.pasted.repair import repair, repair_line


@pytest.mark.parametrize(
    ("line", "repaired"),
    [
        ("The mayorâ€™s plan", "The mayor’s plan"),
        ("Der BÃ¼rgermeister sprach über die â€žNeue Mitte“", "Der Bürgermeister sprach über die „Neue Mitte“"),
        ("The mayorâ€\u200b™s plan", "The mayor’s plan"),
        ("fish &amp; chips", "fish & chips"),
        ("harb\u200bour wa\u00adll\ufeff to\u2060day", "harbour wall today"),
        ("ten\u00a0thousand\u202feuros\tand\u2009more  still", "ten thousand euros and more still"),
        ("the \ufb01rst \ufb02oor", "the first floor"),
        ("cafe\u0301", "café"),
        ("a\x00b\x07c\x1b[31m", "abc"),
        ("‘curly’ “quotes” stay", "‘curly’ “quotes” stay"),
        ("全角　ＡＢＣ", "全角 ＡＢＣ"),
        ("می‌خواهم", "می‌خواهم"),
        ("wo\u200drd", "word"),
        ("👩‍🚀 in orbit", "👩‍🚀 in orbit"),
        ("\ud800 lone", "\ufffd lone"),
    ],
)
def test_a_line_is_repaired(line: str, repaired: str) -> None:
    assert repair_line(line) == repaired


def test_every_line_end_separates() -> None:
    assert repair("a\r\nb\rc\u2028d\x85e\n\nf") == ["a", "b", "c", "d", "e", "", "f"]


@given(st.text())
def test_repaired_lines_are_nfc_without_controls_and_stay_so(text: str) -> None:
    for line in repair(text):
        assert unicodedata.is_normalized("NFC", line)
        assert not any(unicodedata.category(char) in {"Cc", "Cs", "Co"} for char in line)
        assert repair_line(line) == line


@pytest.mark.parametrize("unit", ["a", "word ", "â€™", "😀", "&amp;", "\u200d", "> ", " ", "\x1b["])
def test_a_huge_line_takes_time_in_proportion(unit: str) -> None:
    started = time.process_time()
    repair(unit * (500_000 // len(unit)))
    assert time.process_time() - started < 10
