import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.normalise.canonical_url import absolute_url, canonical_url

BASE = "https://www.example.org/news/today?page=2"


@pytest.mark.parametrize(
    ("url", "standard"),
    [
        ("HTTPS://Www.Example.ORG:443/A", "https://www.example.org/A"),
        ("/story#comments", "https://www.example.org/story"),
        ("story", "https://www.example.org/news/story"),
        ("//cdn.example.net/a b.jpg", "https://cdn.example.net/a%20b.jpg"),
        ("https://münchen.example/straße", "https://xn--mnchen-3ya.example/stra%C3%9Fe"),
        ("https://reader:secret@example.org/a", "https://example.org/a"),
        ("http://[::1]:8080/a", "http://[::1]:8080/a"),
        ("/a?utm_source=x&id=7&fbclid=y&UTM_Medium=z", "https://www.example.org/a?id=7"),
        ("/a?utm_source=x", "https://www.example.org/a"),
        ("/?the-story", "https://www.example.org/?the-story"),
        ("/a?b=2&a=1&empty=&q=1%2B2+3%26", "https://www.example.org/a?b=2&a=1&empty=&q=1%2B2+3%26"),
        ("/a?ref=7&source=3&gameid=4&session=5", "https://www.example.org/a?ref=7&source=3&gameid=4&session=5"),
    ],
)
def test_standard_form(url: str, standard: str) -> None:
    assert absolute_url(url, BASE) == standard


@pytest.mark.parametrize(
    "url",
    [
        *("javascript:void(0)", "data:image/png;base64,AA", "mailto:a@example.org", "ftp://example.org/a"),
        *("https://exam ple.org/", "https://example.org:99999/", "https://[bad/", "https://{{ host }}/a"),
        "https://example.org/" + "a" * 2048,
    ],
)
def test_invalid_urls(url: str) -> None:
    assert absolute_url(url, BASE) is None


@pytest.mark.parametrize("url", ["/story", "story", "//example.org/a", ""])
def test_a_relative_url_needs_a_base(url: str) -> None:
    assert absolute_url(url, None) is None


@pytest.mark.parametrize(
    ("declared", "url", "canonical"),
    [
        ("/story", BASE, "https://www.example.org/story"),
        (None, BASE + "&utm_source=x#top", BASE),
        ("javascript:void(0)", BASE, BASE),
        ("https://www.example.org/", BASE, BASE),
        ("https://example.org/", "https://www.example.org", "https://example.org/"),
        ("https://other.example/story", BASE, "https://other.example/story"),
        ("https://example.org/story", None, "https://example.org/story"),
        ("/story", None, None),
        (None, None, None),
    ],
)
def test_canonical(declared: str | None, url: str | None, canonical: str | None) -> None:
    assert canonical_url(declared, url) == canonical


PARTS = st.lists(
    st.sampled_from([*"/?#&=%:@[].", "http:", "//", "a", "é", "utm_x", "%2", "%41", "example.org", " ", "\ud800"])
)


@given(st.one_of(st.text(), PARTS.map("".join), PARTS.map(lambda parts: "https://example.org/" + "".join(parts))))
def test_a_url_in_standard_form_stays_as_it_is(url: str) -> None:
    once = absolute_url(url, BASE)

    assert once is None or (once.isascii() and absolute_url(once, None) == once)
