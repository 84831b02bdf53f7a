import pytest

from workers.pasted.lines import lines_of
from workers.pasted.mail_header import MailHeader, find_mail_header
from workers.pasted.text_reader import read_text

BODY = "The ferry to the outer islands will sail twice a day from the first of May, the harbour office said on Monday."


@pytest.mark.parametrize(
    ("lines", "subject"),
    [
        (["From: Jane Roe <jane@harbour.example>", "Subject: Second ferry"], "Second ferry"),
        (["Von: Änne Aue", "Datum: 4. Mai 2025", "Betreff: AW: Re: Zweite Fähre"], "Zweite Fähre"),
        (["De : Hélène Dubois", "À : tous", "Objet : TR : Le second bateau"], "Le second bateau"),
        (["Da: Chiara Bruni", "Oggetto: Il secondo traghetto", "Data: 4 maggio"], "Il secondo traghetto"),
        (["От: Анна", "Тема: Второй паром"], "Второй паром"),
        (["*From:* Jane", "*Subject:* Second ferry"], "Second ferry"),
    ],
)
def test_a_header_has_a_subject(lines: list[str], subject: str) -> None:
    assert find_mail_header(lines_of(["View in browser", *lines, BODY])) == MailHeader(1, 1 + len(lines), subject)


def test_a_forwarded_mail_has_two_headers() -> None:
    header = ["From: Jane", "Subject: Fwd: Second ferry"]
    assert find_mail_header(lines_of([*header, "FYI", *header, BODY])) == MailHeader(0, 5, "Second ferry")


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["Subject: the second ferry"],
        ["From: Jane", "To: John"],
        ["From: here on it rains.", BODY, "Subject: rain"],
        [BODY, "From: Jane", "Subject: what she answered to"],
    ],
)
def test_texts_that_are_not_headers(lines: list[str]) -> None:
    assert find_mail_header(lines_of([*lines, BODY])) is None


def test_the_subject_is_the_title_and_the_rest_stays() -> None:
    draft = read_text(f"From: Jane Roe\nDate: 4 May 2025\nSubject: Second ferry\n\nDear all,\n\n{BODY}\n\nJane")
    assert draft.title is not None
    assert draft.title.value == "Second ferry"
    assert draft.published is not None
    assert draft.published.value == "4 May 2025"
    assert draft.text == f"Dear all,\n\n{BODY}\n\nJane"
    assert [removed.rule for removed in draft.removed] == ["mail_header"] * 3
