import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contract.search import MAX_QUERY_CHARS, MAX_TERMS, MAX_WORDS, SearchError, Term, parse_query, words_of


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("a b", [Term(("a",)), Term(("b",))]),
        ('"a b" c', [Term(("a", "b")), Term(("c",))]),
        ('a -b -"c d"', [Term(("a",)), Term(("b",), excluded=True), Term(("c", "d"), excluded=True)]),
        ("State-of-the-Art", [Term(("state", "of", "the", "art"))]),
        ("a - b", [Term(("a",)), Term(("b",))]),
        ('a "" , !', [Term(("a",))]),
    ],
)
def test_a_query_is_words_phrases_and_what_must_not_be_there(query: str, terms: list[Term]) -> None:
    assert parse_query(query) == tuple(terms)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "at least one word"),
        ("-a", "at least one word"),
        ("...", "at least one word"),
        ('"a', "quotation mark"),
        ("a" * (MAX_QUERY_CHARS + 1), "characters"),
        (" ".join("a" for _ in range(MAX_TERMS + 1)), "words and phrases"),
    ],
)
def test_a_query_that_asks_for_nothing_is_refused(query: str, message: str) -> None:
    with pytest.raises(SearchError, match=message):
        parse_query(query)


@given(st.text(max_size=200))
def test_words_hold_nothing_that_a_database_could_take_for_its_own(text: str) -> None:
    for word in words_of(text):
        assert word
        assert not set(word) & set(" \t\r\n\"'\\()&|!<>:*-+^_\0")


@settings(max_examples=500)
@example("𝓐")
@given(st.text(max_size=100))
def test_the_words_of_words_are_the_same(text: str) -> None:
    assert words_of(" ".join(words_of(text))) == words_of(text)


def test_a_text_has_so_many_words_at_most() -> None:
    assert len(words_of("a " * (MAX_WORDS + 5))) == MAX_WORDS
    assert len(words_of("東" * (MAX_WORDS + 5))) == MAX_WORDS
