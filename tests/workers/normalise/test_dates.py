import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.normalise.dates import normalise_date


@pytest.mark.parametrize(
    ("stated", "standard"),
    [
        ("2024-10-09", "2024-10-09"),
        (" 2024-10-09\n", "2024-10-09"),
        ("2024-10", "2024-10"),
        ("2024", "2024"),
        ("20241009", "2024-10-09"),
        ("2024-10-09T10:11", "2024-10-09T10:11"),
        ("2024-10-09 10:11:12", "2024-10-09T10:11:12"),
        ("2024-10-09T10:11:12Z", "2024-10-09T10:11:12Z"),
        ("2024-10-09t10:11:12z", "2024-10-09T10:11:12Z"),
        ("2024-10-09T10:11:12.3456+02:00", "2024-10-09T10:11:12.345+02:00"),
        ("2024-10-09T10:11:12,5Z", "2024-10-09T10:11:12.500Z"),
        ("2024-10-09T10:11:12-0430", "2024-10-09T10:11:12-04:30"),
        ("2024-10-09 10:11:12 +02", "2024-10-09T10:11:12+02:00"),
        ("20241009T101112Z", "2024-10-09T10:11:12Z"),
        ("2024-10-09T10:11:12+00:00", "2024-10-09T10:11:12+00:00"),
    ],
)
def test_iso_keeps_its_precision_and_offset(stated: str, standard: str) -> None:
    assert normalise_date(stated) == standard


@pytest.mark.parametrize(
    ("stated", "language", "standard"),
    [
        ("October 9, 2024", "en", "2024-10-09"),
        ("9. Oktober 2024", "de", "2024-10-09"),
        ("9 octobre 2024 à 10h30", "fr", "2024-10-09T10:30"),
        ("2024年10月9日", "ja", "2024-10-09"),
        ("9 октября 2024", "ru", "2024-10-09"),
        ("Oct 9, 2024", "fr", "2024-10-09"),
        ("Wed, 09 Oct 2024 10:11:12 GMT", None, "2024-10-09T10:11:12+00:00"),
        ("Oct 9, 2024 at 10:30 PM EDT", "en", "2024-10-09T22:30-04:00"),
        ("09/10/2024", "en-US", "2024-09-10"),
        ("09/10/2024", "en-GB", "2024-10-09"),
        ("09/10/2024", "fr", "2024-10-09"),
        ("9. oktober 2024", "no", "2024-10-09"),
        ("October 9, 2024", "tlh", "2024-10-09"),
        ("Oct 09, 2024 - 09:15 AM", "en", "2024-10-09T09:15"),
        ("9 de outubro de 2024 às 9h15", "pt", "2024-10-09T09:15"),
        ("9 octobre 2024 à 9 h 15", "fr", "2024-10-09T09:15"),
        ("9. Oktober 2024 um 10 Uhr", "de", "2024-10-09T10:00"),
        ("9. Oktober 2024, 10.15 Uhr", "de", "2024-10-09T10:15"),
    ],
)
def test_dates_in_words(stated: str, language: str | None, standard: str) -> None:
    assert normalise_date(stated, language) == standard


@pytest.mark.parametrize(
    "stated",
    [
        *("", "   ", "soon", "yesterday", "2 hours ago", "October 2024", "9 Oct", "1.2.3.4", "1728468600"),
        *("2024-02-30", "2024-13-01", "2024-13", "2024-10-09T25:00:00", "31/02/2024", "2024-10-09T10:11:12+99:00"),
        *("0001-01-01T00:00:00", "0000", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000+00:00"),
        "9 October 2024 " * 20,
    ],
)
def test_invalid_dates(stated: str) -> None:
    assert normalise_date(stated, "en") is None


def test_a_day_in_1970_is_a_date() -> None:
    assert normalise_date("1970-01-01") == "1970-01-01"


DATE_LIKE = st.text(alphabet="0123456789-:/.,TZ+ JanuryOctbe٢年月日")


@settings(deadline=None)  # the first date in a language loads its tables
@given(st.one_of(st.text(), DATE_LIKE), st.sampled_from([None, "en", "en-GB", "de", "zh", "xx"]))
def test_a_date_in_standard_form_stays_as_it_is(stated: str, language: str | None) -> None:
    once = normalise_date(stated, language)

    assert once is None or normalise_date(once, language) == once
