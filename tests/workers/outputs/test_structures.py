"""Tables, code, formulas and lists of the pages in `bench/structures` come out in Markdown as they are there."""

from pathlib import Path

import pytest

from bench.structure import FOLDER, copydesk, edit_distance, score

PAGES = sorted(FOLDER.glob("*.html"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_structure_is_written_whole(page: Path) -> None:
    assert score(page, page.stem.partition("-")[0], copydesk) == 1.0


def test_the_edit_distance_counts_characters() -> None:
    assert [edit_distance("kitten", other) for other in ("kitten", "sitting", "", "kit")] == [0, 3, 6, 3]
