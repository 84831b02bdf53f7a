from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from contract.reasons import Reason
from workers.failures import Failed
from workers.fetch import rules
from workers.fetch.urls import checked_url

NOW = datetime(2026, 1, 31, 8, 15, tzinfo=UTC)

dates = st.builds(
    "{} {} {} {}".format,
    st.integers(-5, 99_999),
    st.sampled_from(["Jan", "Feb", "Nil"]),
    st.integers(-1, 10**20),
    st.text("0123456789:+-", max_size=20),
)
urls = st.text() | st.text("/:@[]%.?#a1").map("http://{}".format)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Sat, 31 Jan 2026 09:15:00 GMT", 3600.0),
        ("Sat, 31 Jan 2026 08:15:30 -0000", 30.0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0),
        ("Mon, 1 Jan 99999999999999999999 0:0:0 GMT", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("\u0661", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_understood(value: str | None, seconds: float | None) -> None:
    assert rules.retry_after_s(value, NOW) == seconds


@given(st.text() | dates)
def test_retry_after_is_never_negative_and_never_raises(value: str) -> None:
    seconds = rules.retry_after_s(value, NOW)
    assert seconds is None or seconds >= 0


@given(urls)
def test_every_accepted_url_is_http_or_https(text: str) -> None:
    with suppress(Failed):
        url = checked_url(text)
        assert (url.scheme in {"http", "https"}, bool(url.raw_host), url.user, url.fragment) == (True, True, None, "")


@given(urls)
def test_a_redirect_goes_to_the_web_or_fails(location: str) -> None:
    try:
        target = rules.redirect_target(URL("http://here.example/"), 302, {"Location": location})
    except Failed as failed:
        assert failed.reason in {Reason.INVALID_URL, Reason.BLOCKED_ADDRESS}  # noqa: PT017 - both ends are right, others are not
    else:
        assert target is not None
        assert target.scheme in {"http", "https"}
