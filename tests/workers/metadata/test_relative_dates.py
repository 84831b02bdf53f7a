from datetime import UTC, datetime

import pytest

from workers.metadata.relative_dates import parse_relative_date

NOW = datetime(2024, 5, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "language", "day"),
    [
        ("3 hours ago", "en", "2024-05-03"),
        ("a day ago", "en", "2024-05-02"),
        ("Posted 2 weeks ago", "en-GB", "2024-04-19"),
        ("Yesterday at 10:20", "en", "2024-05-02"),
        ("hace 2 días", "es", "2024-05-01"),
        ("vor 3 Tagen", "de", "2024-04-30"),
        ("gestern, 10:20 Uhr", "de", "2024-05-02"),
        ("il y a 2 jours", "fr", "2024-05-01"),
        ("2 дня назад", "ru", "2024-05-01"),
        ("3天前", "zh", "2024-04-30"),
        ("3 小时前", "zh", "2024-05-03"),
        ("3日前", "ja", "2024-04-30"),
        ("3일 전", "ko", "2024-04-30"),
        ("قبل ٣ أيام", "ar", "2024-04-30"),
        ("قبل يومين", "ar", "2024-05-01"),
        ("2 gün önce", "tr", "2024-05-01"),
        ("3 दिन पहले", "hi", "2024-04-30"),
        ("13 hours ago", "xx", "2024-05-02"),
    ],
)
def test_days_before_now(text: str, language: str, day: str) -> None:
    found = parse_relative_date(text, language, NOW)
    assert found is not None
    assert found.isoformat() == day


@pytest.mark.parametrize("text", ["5 min read", "5 days", "in 3 days", "3 years ago", "", "3 days ago " * 10])
def test_other_words_are_no_day(text: str) -> None:
    assert parse_relative_date(text, "en", NOW) is None
