"""Mistakes are reported in one line: every parameter of every command gets wrong values of its kind."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.runtime.cli.options import Parameter, parameters
from tests.runtime.cli.outcomes import ROOT, Command, Outcome, outcomes_of

FILE = str(ROOT / "README.md")
NOT_UTF8 = "http://example.com/\udcff"  # as Python has the argument's byte 0xFF
MISSING = str(ROOT / "no-such-file.txt")

NUMBERS = ("many", "-1", "", "1.5.2", "nan", "0x10")
HTTP_URLS = (
    *("127.0.0.1:8080", "localhost", "ftp://127.0.0.1/", "amqp://127.0.0.1", "http://", "http://127.0.0.1:99999"),
    *("http://[::1", "", "http://127.0.0.1:8080/v1/documents", "http://user:hush-hush@127.0.0.1", "http://a\nb"),
)
AMQP_URLS = (
    "127.0.0.1:5672",
    "http://guest:hush-hush@127.0.0.1:5672/",
    "amqp://",
    "rabbitmq",
    "amqp://h:port/",
    "amqp://xn--example/",
    "amqp://h/a\nb",
    "",
)
LEDGER_URLS = (
    *("", "ledger.db", "postgresql", "postgresql://", "postgresql://127.0.0.1", "mysql://u:hush-hush@127.0.0.1/d"),
    *("postgresql+psycopg2://u:hush-hush@127.0.0.1/d", "postgresql://u:hush-hush@127.0.0.1:99999/d"),
    *("postgresql://u:hush-hush@127.0.0.1:port/d", "postgresql://u:hush-hush@[::1/d", "postgresql:///d"),
    *("postgresql://u:hush#hush-hush@127.0.0.1/d", "postgresql://u:hush-hush@127.0.0.1/a\nb"),
    *("postgresql://u:hush-hush@127.0.0.1/d?sslmode=whim", "postgresql://u:hush-hush@127.0.0.1/d?whim=hush-hush"),
    *("sqlite:", "sqlite://", "sqlite:///", "sqlite://ledger.db", "sqlite:///:memory:", "sqlite:///l.db?whim=1"),
    *(f"sqlite:///{ROOT}", f"sqlite:///{MISSING}/ledger.db", f"sqlite:///{FILE}/ledger.db"),
)
WEBHOOK_URLS = tuple(url for url in HTTP_URLS if not url.endswith("/v1/documents"))
URLS = {
    "target": WEBHOOK_URLS,
    "fetch": WEBHOOK_URLS,
    "amqp": AMQP_URLS,
    "amqp_url": AMQP_URLS,
    "ledger_url": LEDGER_URLS,
    "url": HTTP_URLS,
}

# Wrong values of each kind of parameter. A new kind has to be added here: the test below fails otherwise.
WRONG = {
    "HOST": ("http://127.0.0.1", "a b", "300.1.1.1", "", "x" * 300, "127.0.0.1:80", "[::1]"),
    "PORT": (*NUMBERS, "65536", "80.5"),
    "COUNT": (*NUMBERS, "0", "1.5"),
    "SECONDS": NUMBERS,
    "int": (*NUMBERS, "1.5"),
    "choice": ("whim", ""),
    "REASON": ("whim", ""),
    "FOLDER": (FILE, f"{FILE}/inside"),
    "Path": (FILE, f"{FILE}/inside"),
    "KEY": ("two words", "clé", "", "a\nb"),
    "KEY=VALUE": ("desk", "=7", "", "desk=\udcff"),
    "PATTERN": ("", "a..b", "a*", "x" * 256, "two words"),
    "FILTER": ("", "language", "language == en", "colour = red", "x" * 1001),
    "OFFSET|oldest": ("newest", "-1", "1.5", ""),
    "FILE|-": (MISSING, str(ROOT)),
    "FILE|URL|-...": (MISSING, str(ROOT), "", NOT_UTF8),
    "NAME": ("", "x" * 129, "a\nb", NOT_UTF8),
    "OWNER": ("", "a b", "ann:word", "clé", "x" * 65, "a\nb"),
    "KEYID": ("", "ann", "0123456789ABCDEF", "cdk_0123456789abcdef_hush-hush", "0123456789abcdef0"),
    "QUEUE": ("", "a\nb", "x" * 256),
    "SECRET": ("", "hush-hush", "whsec_", "whsec_hush-hush", "whsec_QUJD"),
    "COMMAND...": (MISSING, ""),
    "[COMMAND...]": (MISSING,),
    "ID": ("", "..", "a/b", "a b", "x" * 101),
    "ID...": ("", "..", "a/b", "a b", "x" * 101),
}
EXAMINED = {("doctor --data", f"{FILE}/inside")}  # no mistake, but what it is to find: tests/runtime/test_doctor.py
TAKEN_AS_IT_IS = {"submit --origin", "submit --callback-url"}  # the server checks them
DOCUMENTED = {
    ("extract targets", MISSING): 1,  # a document among others: refused, and the others are extracted
    ("extract targets", str(ROOT)): 1,
    ("extract targets", ""): 1,
    ("extract targets", NOT_UTF8): 1,
    ("audit --data", f"{FILE}/inside"): 3,  # its broker does not exist
}

# Arguments that each command needs besides the wrong option.
ARGUMENTS = {
    ("submit",): [FILE],
    ("extract",): [FILE],
    ("dead", "show"): ["x"],
    ("dead", "retry"): ["x"],
    ("dead", "drop"): ["x"],
    ("conformance", "amqp"): ["true"],
    ("backup",): [f"{MISSING}/backup"],
    ("restore",): [f"{MISSING}/backup"],
    ("conformance", "sse"): ["true"],
    ("keys", "create"): ["ann"],
    ("keys", "rotate"): ["0123456789abcdef"],
    ("keys", "revoke"): ["0123456789abcdef"],
}


@dataclass(frozen=True)
class Case:
    parameter: Parameter
    value: str
    arguments: list[str]
    settings: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        way = "" if not self.settings else " from the environment"
        return f"{self.parameter}{way}: {self.value!r}"


def wrong_values(parameter: Parameter) -> tuple[str, ...]:
    if parameter.kind == "URL":
        return URLS[parameter.name]
    return WRONG[parameter.kind]


def cases() -> Iterator[Case]:
    for parameter in parameters():
        needed = [*parameter.command]
        arguments = ARGUMENTS.get(parameter.command, [])
        if str(parameter) in TAKEN_AS_IT_IS:
            continue
        if parameter.is_flag:
            yield Case(parameter, "maybe", [*needed, f"{parameter.option}=maybe", *arguments])
            continue
        for value in wrong_values(parameter):
            if (str(parameter), value) in EXAMINED:
                continue
            if parameter.option is None:
                yield Case(parameter, value, [*needed, value])
                continue
            without = [] if parameter.option == "--jsonl" else arguments
            yield Case(parameter, value, [*needed, f"{parameter.option}={value}", *without])
            if parameter.envvar and value:
                yield Case(parameter, value, [*needed, *arguments], {parameter.envvar: value})


@pytest.fixture(scope="module")
def outcomes() -> list[tuple[Case, Outcome]]:
    """Each case, and what became of it."""
    given = list(cases())
    ended = outcomes_of(Command(case.arguments, case.settings) for case in given)
    return list(zip(given, ended, strict=True))


def test_each_kind_of_parameter_has_its_wrong_values() -> None:
    assert {parameter.kind for parameter in parameters()} - {"bool", "str", "URL"} == set(WRONG)
    unchecked = {str(one) for one in parameters() if one.kind == "str"}
    assert unchecked <= TAKEN_AS_IT_IS <= {str(one) for one in parameters()}


@pytest.mark.processes
@pytest.mark.timeout(600)
def test_a_wrong_value_is_named_in_one_line(outcomes: list[tuple[Case, Outcome]]) -> None:
    wrong = []
    for case, outcome in outcomes:
        expected = DOCUMENTED.get((str(case.parameter), case.value), 2)
        lines = outcome.err.splitlines()
        plain = len(lines) == 1 and "Traceback" not in outcome.err and lines[0].startswith(("copydesk: ", "refused\t"))
        if outcome.code != expected or not plain or outcome.out:
            wrong.append(f"{case} ended with {outcome.code}:\n{outcome.out[-300:]}{outcome.err[-600:]}")
    assert not wrong, f"{len(wrong)} of {len(outcomes)}:\n" + "\n".join(wrong[:40])


@pytest.mark.processes
def test_a_fault_of_a_secret_is_reported_without_the_secret(outcomes: list[tuple[Case, Outcome]]) -> None:
    assert [str(case) for case, outcome in outcomes if "hush-hush" in outcome.err + outcome.out] == []
