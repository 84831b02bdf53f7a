import itertools
from types import SimpleNamespace

import pytest
from _pytest.mark.expression import Expression, ExpressionMatcher

from tests import suites
from tests.suites import SUITES, Suite, main

MARKS = ("rabbit", "system", "faults")
PASSES = Suite("passes", ("--collect-only", "-q", "tests/contract/test_ids.py"))


def matcher(marks: set[str]) -> ExpressionMatcher:
    def matches(name: str, /, **_: str | int | bool | None) -> bool:
        return name in marks

    return matches


def kind(suite: Suite) -> str:
    return suite.arguments[suite.arguments.index("-m") + 1]


@pytest.mark.parametrize(
    "marks", [set(chosen) for count in range(4) for chosen in itertools.combinations(MARKS, count)]
)
def test_the_marks_of_a_test_choose_one_kind_of_suite(marks: set[str]) -> None:
    kinds = {kind(suite) for suite in SUITES}
    assert len([text for text in kinds if Expression.compile(text).evaluate(matcher(marks))]) == 1


def test_suites_of_one_kind_divide_it_by_a_file() -> None:
    for _, same in itertools.groupby(sorted(SUITES, key=kind), kind):
        arguments = sorted(suite.arguments[-1] for suite in same)
        assert len(arguments) == 1 or arguments == [f"--ignore={arguments[1]}", arguments[1]]


@pytest.mark.parametrize("code", [0, 1, 2, 5])
def test_a_suite_that_fails_makes_the_run_fail_and_is_told_last(
    code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ended(command: list[str], **_: object) -> SimpleNamespace:
        failed = command[-1] == "first"
        line = b"=== 1 failed ===\n" if failed else b"=== 2 passed ===\n"
        return SimpleNamespace(returncode=code if failed else 0, stdout=line)

    monkeypatch.setattr("subprocess.run", ended)
    assert main((Suite("a", ("first",)), Suite("b", ("second",)))) == int(code != 0)
    assert capsys.readouterr().out.splitlines()[-1] == ("=== 1 failed ===" if code else "=== 2 passed ===")


def test_pytest_is_run_and_its_closing_line_is_the_last(capsys: pytest.CaptureFixture[str]) -> None:
    assert main((PASSES,)) == 0
    assert "collected in" in capsys.readouterr().out.splitlines()[-1]


def test_a_suite_that_does_not_end_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(suites, "SUITE_TIMEOUT_S", 0.01)
    assert main((PASSES,)) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("no end within")
