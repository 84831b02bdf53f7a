import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.article import Article, Failure
from contract.events import FailedEvent, ProcessedEvent, erased, host_of, matches
from contract.job import Kind
from contract.reasons import Reason


def processed(host: str | None = None, language: str | None = None) -> ProcessedEvent:
    article = Article(
        id="d",
        kind=Kind.TEXT,
        host=host,
        language=language,
        text="A.",
        excerpt="A.",
        word_count=1,
        char_count=2,
        reading_time_s=1,
        content_sha256="0",
        simhash="0",
    )
    return ProcessedEvent(id="d.1", subject="d", time="2026-01-01T00:00:00Z", data=article)


@pytest.mark.parametrize(
    ("host", "language", "key"),
    [
        ("www.example.com", "en", "processed.en.com.example.www"),
        ("localhost", "de", "processed.de.localhost"),
        ("192.0.2.7", "en", "processed.en.192.0.2.7"),
        (None, None, "processed.und._"),
    ],
)
def test_routing_key_of_a_processed_document(host: str | None, language: str | None, key: str) -> None:
    assert processed(host, language).routing_key == key


def test_routing_key_of_a_failed_document() -> None:
    failure = Failure(
        id="d", kind=Kind.URL, reason=Reason.GONE, detail="", attempts=1, url="https://news.example.org/a"
    )
    event = FailedEvent(id="d.1", subject="d", time="2026-01-01T00:00:00Z", data=failure)
    assert event.routing_key == "failed.gone.org.example.news"


def test_an_erased_document_is_told_by_its_id_alone_and_always_by_the_same_event() -> None:
    event, again = erased("d", "2026-01-01T00:00:00Z"), erased("d", "2026-01-02T00:00:00Z")
    assert (event.id, event.subject, event.data.id, event.routing_key) == ("d.erased", "d", "d", "erased")
    assert again.id == event.id
    assert matches("erased", event.routing_key)
    assert not matches("processed.#", event.routing_key)


def test_routing_key_fits_a_short_string_and_keeps_the_domain() -> None:
    key = processed(".".join(["sub" * 10] * 8) + ".example.com", "en").routing_key
    assert len(key.encode()) <= 255
    assert key.startswith("processed.en.com.example.")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://EXAMPLE.com/x", "example.com"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("nonsense", None),
        ("//[]@", None),
        ("http://[bad", None),
        (None, None),
        ("http://[::1]:80/", "::1"),
    ],
)
def test_host_of(url: str | None, host: str | None) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("#", "processed.en._", True),
        ("processed.#", "processed.en.com.example", True),
        ("processed.#", "processed", True),
        ("processed.*", "processed.en.com", False),
        ("*.en.#", "processed.en.com", True),
        ("processed.en.com.example", "processed.en.com.example", True),
        ("processed.en", "processed.en.com", False),
        ("#.example.*", "processed.en.com.example.www", True),
        ("processed.e*", "processed.en", False),
        ("failed.#", "processed.en._", False),
    ],
)
def test_topic_patterns_match_as_on_a_topic_exchange(pattern: str, key: str, expected: bool) -> None:
    assert matches(pattern, key) is expected


@given(
    st.lists(st.sampled_from(["*", "#", "a", "b"]), min_size=1, max_size=5), st.lists(st.sampled_from("ab"), min_size=1)
)
def test_topic_patterns_agree_with_the_definition(pattern: list[str], key: list[str]) -> None:
    def by_definition(pattern: list[str], key: list[str]) -> bool:
        if not pattern:
            return not key
        if pattern[0] == "#":
            return any(by_definition(pattern[1:], key[cut:]) for cut in range(len(key) + 1))
        return bool(key) and pattern[0] in {"*", key[0]} and by_definition(pattern[1:], key[1:])

    assert matches(".".join(pattern), ".".join(key)) is by_definition(pattern, key)
