import pytest

from contract.options import Focus
from workers.pasted.quoted_replies import split_replies, unquote
from workers.pasted.repair import repair
from workers.pasted.text_reader import read_text

OWN = (
    "The ferry to the outer islands will sail twice a day from the first of May, the harbour office said on Monday.\n\n"
    "Islanders had asked for a second crossing for years, and the council promised money for the boat last autumn."
)
OLD = (
    "Could you please tell us when the second boat will start to sail to the outer islands, and from which pier?\n\n"
    "The timetable on the wall of the office is that of last year, and nobody picks up the telephone there."
)
MARKED = "\n".join(f"> {line}".rstrip() for line in OLD.split("\n"))
ATTRIBUTIONS = [
    "On Mon, May 4, 2025 at 10:12 AM Jane Roe <jane@harbour.example> wrote:",
    "Am 04.05.2025 um 10:12 schrieb Änne Aue <anne@hafen.example>:",
    "Le lun. 4 mai 2025 à 10:12, Hélène Dubois <helene@port.example> a écrit :",
    "El lun, 4 may 2025 a las 10:12, Inés Ruiz (<ines@puerto.example>) escribió:",
    "Il giorno lun 4 mag 2025 alle ore 10:12 Chiara Bruni <chiara@porto.example> ha scritto:",
    "Op ma 4 mei 2025 om 10:12 schreef Jan Smit <jan@haven.example>:",
    "Em seg., 4 de mai. de 2025 às 10:12, João Reis <joao@porto.example> escreveu:",
    "Den mån 4 maj 2025 kl 10:12 skrev Eva Holm <eva@hamn.example>:",
    "W dniu 4.05.2025 o 10:12, Jan Nowak <jan@port.example> napisał(a):",
    "пн, 4 мая 2025 г. в 10:12, Анна <anna@port.example> пишет:",
]


def taken(text: str) -> list[str]:
    return [removed.text for removed in read_text(text).removed if removed.rule == "quoted_reply"]


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
@pytest.mark.parametrize("quote", [MARKED, OLD], ids=["marked", "bare"])
def test_the_quoted_mail_is_removed_and_the_answer_stays(attribution: str, quote: str) -> None:
    text = f"{OWN}\n\n{attribution}\n\n{quote}"
    assert read_text(text).text == OWN
    assert taken(text) == [attribution, *OLD.split("\n\n")]


@pytest.mark.parametrize(
    "separator",
    ["-----Original Message-----", "-----Ursprüngliche Nachricht-----", "-------- Message d'origine --------"],
)
def test_a_separator_opens_the_quoted_mail(separator: str) -> None:
    text = f"{OWN}\n\n{separator}\nFrom: Jane Roe\nSent: Monday\nSubject: The boat\n\n{OLD}"
    assert read_text(text).text == OWN


def test_a_header_in_the_text_opens_the_quoted_mail() -> None:
    header = "From: Jane Roe <jane@harbour.example>\nSent: Monday, 4 May 2025 10:12\nTo: John\nSubject: The boat"
    assert read_text(f"{OWN}\n\n{header}\n\n{OLD}").text == OWN


def test_an_answer_below_the_quoted_mail_stays() -> None:
    assert read_text(f"{ATTRIBUTIONS[0]}\n{MARKED}\n\n{OWN}").text == OWN


def test_answers_between_the_quoted_lines_stay() -> None:
    first, second = OWN.split("\n\n")
    asked, also = MARKED.split("\n>\n")
    assert read_text(f"{ATTRIBUTIONS[0]}\n{asked}\n\n{first}\n\n{also}\n\n{second}").text == OWN


def test_an_attribution_on_two_lines_and_deeper_levels() -> None:
    two = "On Mon, May 4, 2025 at 10:12 AM Jane Roe <jane@harbour.example>\nwrote:"
    deeper = MARKED + "\n>> On Sun, May 3, 2025 at 9:00 AM John wrote:\n>>> No.\n> Indeed."
    assert read_text(f"{OWN}\n\n{two}\n{deeper}").text == OWN


@pytest.mark.parametrize("own", ["", "FYI, see below.\n\n"])
def test_without_an_answer_the_quoted_mail_is_the_text(own: str) -> None:
    text = f"{own}{ATTRIBUTIONS[0]}\n\n{MARKED}"
    assert taken(text) == []
    assert OLD in read_text(text).text


@pytest.mark.parametrize(
    "line",
    [
        "On the first of May she wrote:",
        "On 4 May 1945 the captain wrote:",
        "Am 4. Mai 1945 schrieb der Kapitän:",
        "From: the pier",
    ],
)
def test_an_article_that_quotes_a_letter_stays_whole(line: str) -> None:
    text = f"{OWN}\n\n{line}\n\n{OLD}"
    assert read_text(text).text == text


def test_keep_all_keeps_quoted_mail() -> None:
    assert OLD in read_text(f"{OWN}\n\n{ATTRIBUTIONS[0]}\n\n{MARKED}", keep_all=True).text


@pytest.mark.parametrize("focus", Focus)
def test_quoted_mail_is_removed_with_every_focus(focus: Focus) -> None:
    assert read_text(f"{OWN}\n\n{ATTRIBUTIONS[0]}\n\n{MARKED}", focus=focus).text == OWN


def test_the_runs_are_all_of_the_lines() -> None:
    lines = repair(f"{OWN}\n\n{ATTRIBUTIONS[0]}\n\n{MARKED}\n\nJane")
    runs = list(split_replies(lines))
    assert [line for run, _ in runs for line in run] == lines
    assert [quoted for _, quoted in runs] == [False, True, False]


@pytest.mark.parametrize(("line", "bare"), [("> a", "a"), (">> > a", "a"), (">50 people", ">50 people"), ("a", "a")])
def test_quote_marks_go_and_comparisons_stay(line: str, bare: str) -> None:
    assert unquote(line) == bare
