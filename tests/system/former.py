"""Copydesk as it was at an earlier commit, to run beside the one of today, with today's libraries."""

import sys
import tarfile
from io import BytesIO
from pathlib import Path
from subprocess import run

import pytest

from tests.system.processes import ROOT

FORMER = "ca9ae65"
"""The commit that stands for the last release: there is none yet. Events and jobs of it must be read for ever.

It is the last one before RabbitMQ has an exchange for each queue that is written alone.
After a release, name its tag here.
"""
FORMER_TABLES = "0008"
"""The version of its ledger's tables, by which tests see that it is this code that runs."""


class Former:
    """The code of that commit in a folder. `program` runs its command line, `settings` make its children find it."""

    def __init__(self, folder: Path) -> None:
        found = run(["git", "archive", FORMER], cwd=ROOT, capture_output=True, check=False)
        if found.returncode:
            pytest.skip(f"the history of this checkout does not reach back to {FORMER}: git fetch --unshallow")
        with tarfile.open(fileobj=BytesIO(found.stdout)) as archive:
            archive.extractall(folder, filter="data")
        self.program = (sys.executable, "-c", "from runtime.cli.app import run; run()")
        self.settings = {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}
