import pytest

from workers.normalise.dates import normalise_date
from workers.pasted.stated_dates import StatedDates, find_stated_dates


@pytest.mark.parametrize(
    ("line", "language", "published"),
    [
        ("Tuesday, Mar 04, 2025 - 09:15 AM", "en", "2025-03-04T09:15"),
        ("18 March 2025 14:35", "en", "2025-03-18T14:35"),
        ("May 4, 2025 at 9:05 p.m. EST", "en", "2025-05-04T21:05-05:00"),
        ("Stand: 3. März 2024, 10 Uhr", "de", "2024-03-03T10:00"),
        ("Publié le 7 mai 2024 à 18h30", "fr", "2024-05-07T18:30"),
        ("2 febbraio 2025 alle ore 8:14", "it", "2025-02-02T08:14"),
        ("2 de fevereiro de 2025 às 8h14", "pt", "2025-02-02T08:14"),
        ("12 марта 2025 г. в 10:15", "ru", "2025-03-12T10:15"),
        ("2025-03-04T10:15:30+01:00", "en", "2025-03-04T10:15:30+01:00"),
        ("4 May 2025 - 3 min read", "en", "2025-05-04"),
        ("4 May 2025 25:10", "en", "2025-05-04"),
        ("4 May 2025 12 comments", "en", "2025-05-04"),
    ],
)
def test_the_time_of_day_goes_with_the_date(line: str, language: str, published: str) -> None:
    moments = find_stated_dates([line])
    assert moments.published is not None
    assert normalise_date(moments.published, language) == published


@pytest.mark.parametrize(
    "lines",
    [
        ["Published: 6 March 2025", "Last updated: 7 March 2025"],
        ["Updated 7 March 2025 | Published 6 March 2025"],
        ["Published", "6 March 2025", "Updated:", "7 March 2025"],
        ["6 March 2025 (mis à jour le 7 March 2025)", "Updated 8 March 2025"],
    ],
)
def test_a_change_is_told_from_publication(lines: list[str]) -> None:
    assert find_stated_dates(lines) == StatedDates("6 March 2025", "7 March 2025")


def test_a_change_alone_does_not_say_when_it_was_published() -> None:
    assert find_stated_dates(["Updated 7 March 2025"]) == StatedDates(None, "7 March 2025")


@pytest.mark.parametrize("label", ["Oppdatert", "Sist oppdatert", "Zuletzt aktualisiert:", "Mis à jour le", "更新："])
def test_a_word_of_change_counts_where_a_word_begins(label: str) -> None:
    assert find_stated_dates(["6 March 2025", f"{label} 7 March 2025"]) == StatedDates("6 March 2025", "7 March 2025")


def test_a_chinese_label_of_the_last_update_stands_before_the_only_date() -> None:
    assert find_stated_dates(["最后更新 14.12.2011 19:00"]) == StatedDates("14.12.2011 19:00", None)
