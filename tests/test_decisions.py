"""In docs/decisions.md every entry is in the table, has a date, and has its parts."""

import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[1] / "docs" / "decisions.md").read_text(encoding="utf-8")
TABLE, *ENTRIES = re.split(r"^## ", TEXT, flags=re.MULTILINE)


def anchor(title: str) -> str:
    """Returns the fragment that GitHub and GitLab give a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def test_the_table_lists_the_entries_in_their_order() -> None:
    entries = [
        (re.findall(r"^\*(\d{4}-\d\d-\d\d)\*$", entry, re.MULTILINE)[0], entry.splitlines()[0]) for entry in ENTRIES
    ]
    listed = re.findall(r"^\| (\d{4}-\d\d-\d\d) \| \[(.+)\]\(#(.+)\) \|$", TABLE, re.MULTILINE)
    assert listed == [(date, title, anchor(title)) for date, title in entries]
    assert [date for date, _ in entries] == sorted(date for date, _ in entries)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.splitlines()[0])
def test_an_entry_has_its_parts_in_order(entry: str) -> None:
    parts = re.findall(r"^\*\*(\w+)\.\*\*", entry, re.MULTILINE)
    assert parts in (["Context", "Decision", "Consequence"], ["Context", "Decision", "Rejected", "Consequence"])
