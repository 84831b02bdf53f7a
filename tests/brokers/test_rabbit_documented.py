"""The documentation names every cause in metrics and logs."""

import re
from enum import StrEnum
from pathlib import Path

import pytest

from contract.labels import PublishFailure, SessionLoss

OPERATING = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("heading", "causes"), [("lost session", SessionLoss), ("failed publish", PublishFailure)])
def test_every_cause_is_explained(heading: str, causes: type[StrEnum]) -> None:
    table = OPERATING.partition(f"| {heading} | means |\n")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)) == set(causes)
