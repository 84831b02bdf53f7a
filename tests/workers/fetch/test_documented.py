"""docs/fetching.md names what the code refuses, and its limits are the settings'."""

import re
from pathlib import Path

from contract.reasons import Reason
from runtime.settings import Settings

ROOT = Path(__file__).parents[3]
DOC = (ROOT / "docs" / "fetching.md").read_text(encoding="utf-8")
FILES = [path for folder in ("fetch", "walls") for path in (ROOT / "workers" / folder).glob("*.py")]
CODE = "\n".join(path.read_text(encoding="utf-8") for path in FILES)


def test_every_reason_of_fetching_is_explained() -> None:
    rows = re.findall(r"^\| (`[^|]+) \|", DOC.partition("## Reasons")[2].partition("## What is taken")[0], re.MULTILINE)
    explained = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    used = {Reason[name].value for name in re.findall(r"\bReason\.([A-Z_0-9]+)\b", CODE)}
    assert explained == used


def test_every_limit_is_a_setting() -> None:
    names = set(re.findall(r"COPYDESK_(FETCH_\w+)", DOC))
    assert names <= {name.upper() for name in Settings.model_fields}
    limits = set(re.findall(r"^\| [^|]+ \| `COPYDESK_(FETCH_\w+)` \|", DOC, re.MULTILINE))
    assert len(limits) == 8
