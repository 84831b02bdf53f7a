"""The Dockerfile against the checkout and the settings. Docker does not run where the tests do."""

import re
import shlex
from pathlib import Path

import pytest

from tests.deploy.compose import DOCKERFILE, ROOT, entry_point, environment_of_image
from tests.deploy.roles import DEFAULTS, PROBES, fault_of

TEXT = DOCKERFILE.read_text().replace("\\\n", " ")
LOCKS = ("requirements.lock", "requirements-sbom.lock", "requirements-dev.lock")


def lines(instruction: str) -> list[str]:
    return re.findall(rf"^{instruction} (.*)$", TEXT, re.MULTILINE)


def sources() -> list[str]:
    """Returns what the build copies out of the checkout."""
    copies = (line.split() for line in lines("COPY"))
    return [source for words in copies if not words[0].startswith("--from") for source in words[:-1]]


def sent_to_the_build() -> list[str]:
    """Returns what .dockerignore, which begins with everything, lets through."""
    first, *rest = (ROOT / ".dockerignore").read_text().split()
    assert first == "*"
    return [line.removeprefix("!") for line in rest if line.startswith("!")]


def test_every_source_is_there_and_is_sent_to_the_build() -> None:
    allowed = sent_to_the_build()
    for source in sources():
        assert (ROOT / source).exists(), source
        assert any(f"{source}/".startswith(f"{name}/") for name in allowed), source
    used = [name for name in allowed if not any(f"{source}/".startswith(f"{name}/") for source in sources())]
    assert used == [], "sent to the build and not used"


def test_one_base_can_be_pinned_by_its_digest_for_all_stages() -> None:
    bases = [line.split() for line in lines("FROM")]
    stages = {words[2] for words in bases if len(words) > 1}
    assert {words[0] for words in bases} <= {"${PYTHON}", *stages}
    (default,) = (line.removeprefix("PYTHON=") for line in lines("ARG"))
    minor = re.fullmatch(r"python:3\.(\d+)-slim", default)
    assert minor
    assert int(minor[1]) >= 11  # requires-python
    assert set(re.findall(r"--from=(\w+)", TEXT)) <= stages


def test_the_image_runs_as_nobody_in_particular_and_lists_what_is_in_it() -> None:
    last = TEXT.rpartition("\nFROM ")[2]
    (user,) = re.findall(r"^USER (\d+)$", last, re.MULTILINE)
    assert f"--uid {user}" in last
    assert int(user) > 0
    assert "COPY --from=sbom /sbom /usr/share/doc/copydesk" in last
    assert "sbom.sh" in TEXT.partition("AS sbom\n")[2].partition("\nFROM ")[0]


def test_the_command_would_start_with_the_variables_and_ports_are_those_of_the_settings() -> None:
    (command,) = re.findall(r"^CMD (.*)$", TEXT, re.MULTILINE)
    assert fault_of(list(filter(None, re.split(r'[\[\]", ]+', command))), environment_of_image()) is None
    assert entry_point() == ["copydesk"]
    assert lines("EXPOSE") == [f"{DEFAULTS.port} {DEFAULTS.ops_port}"]
    (check,) = lines("HEALTHCHECK")
    ((port, path),) = re.findall(r"http://127\.0\.0\.1:(\d+)(/\w+)", check)
    assert int(port) == DEFAULTS.ops_port
    assert path in PROBES


@pytest.mark.parametrize("lock", LOCKS)
def test_what_is_installed_has_hashes(lock: str) -> None:
    entries = re.split(r"^(?=\S+==)", (ROOT / lock).read_text(), flags=re.MULTILINE)[1:]
    assert entries
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_pip_installs_locked_versions_alone() -> None:
    installs = [words for line in lines("RUN") for words in commands(line) if "install" in words]
    assert installs
    for words in installs:
        assert "--no-deps" in words
        if "." in words:
            assert "--no-build-isolation" in words
        else:
            assert "--require-hashes" in words
            assert Path(words[words.index("-r") + 1]).name in LOCKS


def commands(line: str) -> list[list[str]]:
    return [shlex.split(command) for command in line.split("&&")]
