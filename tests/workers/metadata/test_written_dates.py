"""Dates as sites of many languages write them. All but those that say otherwise are 3 May 2024."""

import pytest

from workers.metadata.written_dates import dates_in, parse_timestamp, parse_url_date, parse_written_date

DAY = "2024-05-03"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("3 May 2024", "en"),
        ("May 3rd, 2024", "en"),
        ("03-May-2024", "en"),
        ("3/May/2024", "en"),
        ("3 de mayo de 2024", "es"),
        ("3 de maio de 2024", "pt-BR"),
        ("3 Mayıs 2024", "tr"),
        ("3 ΜΑΪΟΥ 2024", "el"),
        ("3 мая 2024 г.", "ru"),
        ("3 травня 2024", "uk"),
        ("2024. május 3.", "hu"),
        ("2024 m. gegužės 3 d.", "lt"),
        ("Ngày 3 tháng 5 năm 2024", "vi"),
        ("3 Tháng 5, 2024", "vi"),
        ("2024년 5월 3일", "ko"),
        ("2024. 5. 3.", "ko"),
        ("2024年5月3日", "ja"),
        ("2024 年 5 月 3 日", "zh"),
        ("二〇二四年五月三日", "zh"),
        ("令和6年5月3日", "ja"),
        ("民國113年5月3日", "zh-TW"),
        ("3 พฤษภาคม 2567", "th"),
        ("3 พ.ค. 2567", "th"),
        ("3 พฤษภาคม พ.ศ. 2567", "th"),
        ("๓ พฤษภาคม ๒๕๖๗", "th"),
        ("03/05/2567", "th"),
        ("٣ مايو ٢٠٢٤", "ar"),
        ("3 مايو/أيار 2024", "ar"),
        ("الجمعة ٣ ماي ٢٠٢٤", "ar-DZ"),
        ("24 شوال 1445 هـ", "ar"),
        ("۱۴ اردیبهشت ۱۴۰۳", "fa"),
        ("۱۴۰۳/۰۲/۱۴", "fa"),
        ("۳ می ۲۰۲۴", "ur"),
        ("3 במאי 2024", "he"),
        ("३ मई २०२४", "hi"),
        ("३ मे २०२४", "mr"),
        ("৩ মে ২০২৪", "bn"),
        ("3 მაისი, 2024", "ka"),
    ],
)
def test_a_day_in_the_page_s_language(text: str, language: str) -> None:
    written = parse_written_date(text, language)
    assert written is not None
    assert written.iso == DAY


@pytest.mark.parametrize("text", ["3 de mayo de 2024", "3 mai 2024", "3 мая 2024", "3 พฤษภาคม 2567", "3 Mayıs 2024"])
@pytest.mark.parametrize("language", ["en", "", "xx"])
def test_a_page_may_declare_the_wrong_language(text: str, language: str) -> None:
    written = parse_written_date(text, language)
    assert written is not None
    assert written.iso == DAY


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("12 people 2024", "en"),
        ("1403/02/14", "en"),
        ("14 May 1403", "en"),
        ("tháng 5", "vi"),
        ("31 กุมภาพันธ์ 2567", "th"),
    ],
)
def test_no_day(text: str, language: str) -> None:
    written = parse_written_date(text, language)
    assert written is None or written.day.year < 1990


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("1714724400", "2024-05-03T08:20:00+00:00"),
        ("1714724400123", "2024-05-03T08:20:00+00:00"),
        ("1714724400.25", "2024-05-03T08:20:00+00:00"),
        ("/Date(1714724400000)/", "2024-05-03T08:20:00+00:00"),
        ("Fri May 03 2024 10:20:00 GMT+0200 (Central European Summer Time)", "2024-05-03T10:20:00+02:00"),
        ("20240503T082000Z", "2024-05-03T08:20:00+00:00"),
        ("20240503102000", "2024-05-03T10:20:00"),
        ("٢٠٢٤-٠٥-٠٣", "2024-05-03"),
        ("3 May 2024", "2024-05-03"),
    ],
)
def test_machine_readable_values(text: str, stated: str) -> None:
    written = parse_timestamp(text)
    assert written is not None
    assert written.iso == stated


def test_a_machine_readable_value_in_the_page_s_order() -> None:
    written = parse_timestamp("03-05-2024 10:29", "de")
    assert written is not None
    assert written.iso == DAY


def test_a_month_s_name_in_an_address() -> None:
    written = parse_url_date("https://a.example/blog/2024/may/03/ferry")
    assert written is not None
    assert written.iso == DAY


def test_all_dates_with_the_words_between_them() -> None:
    found = dates_in("Publicado 27/11/2017 01:57 | Actualizado a 28/11/2017 19:20", "es")
    assert [(one.before, one.written.iso) for one in found] == [
        ("Publicado ", "2017-11-27"),
        (" 01:57 | Actualizado a ", "2017-11-28"),
    ]
    assert found[1].after == " 19:20"
