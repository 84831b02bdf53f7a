"""The loaders of docs/integrations.md, run as they are written, with packages that are no part of the project.

`make integrations` installs the packages into a virtual environment of their own and runs this; else it is skipped.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.processes import ROOT, running
from tests.system.test_webhooks import ask

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

PYTHON = Path(os.environ.get("COPYDESK_TEST_INTEGRATIONS", sys.executable))
TEXT = "The ferry between the harbour and the lower town sails again from Monday, the harbour council said on Friday."


def loader(heading: str) -> str:
    page = (ROOT / "docs" / "integrations.md").read_text(encoding="utf-8")
    section = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    (program,) = re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return str(program)


def run(heading: str, api: str) -> list[str]:
    """Runs a loader, and returns the lines that it prints."""
    env = os.environ | {"COPYDESK_URL": api, "PYTHONPATH": str(ROOT / "clients" / "python")}
    command = [str(PYTHON), "-c", loader(heading)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    imports = [str(PYTHON), "-c", "import langchain_core, llama_index.core"]
    if subprocess.run(imports, capture_output=True, check=False).returncode:
        pytest.skip("langchain-core and llama-index-core are not installed: make integrations")
    folder = str(tmp_path_factory.mktemp("up"))
    with running("up", "--port", "0", "--ops-port", "0", "--data", folder) as process:
        yield process.wait_for_urls("api")["api"]


def test_langchain_loads_what_is_new_each_time(api: str) -> None:
    ids = [processed(api, number) for number in range(2)]
    assert [line.split()[:4] for line in run("LangChain", api)] == [[id_, "en", "The", "ferry"] for id_ in ids]
    later = processed(api, 2)
    assert [line.split()[0] for line in run("LangChain", api)] == [later]


def processed(api: str, number: int) -> str:
    """Returns the id of a document once its event is in the log."""
    receipt = ask(f"{api}/v1/documents", {"text": f"{TEXT} Edition {number}."})
    while ask(f"{api}/v1/documents/{receipt['id']}")["state"] != "processed":
        pass
    return str(receipt["id"])


def test_llamaindex_reads_texts_and_leaves_out_what_fails(api: str) -> None:
    failed, read = run("LlamaIndex", api)
    assert failed == "failed: http://10.0.0.1/ blocked_address"
    assert read.split()[1:4] == ["en", "The", "ferry"]
