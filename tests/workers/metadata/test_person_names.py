import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.metadata.person_names import is_handle, is_organisation, key_of, split_names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Jo Marsh", ["Jo Marsh"]),
        ("By Jo Marsh", ["Jo Marsh"]),
        ("Von Jo Marsh und Ada Lind", ["Jo Marsh", "Ada Lind"]),
        ("Par Zoé Brûlé et Luc Petit", ["Zoé Brûlé", "Luc Petit"]),
        ("Written by Jo Marsh, Ada Lind and Tom Berg", ["Jo Marsh", "Ada Lind", "Tom Berg"]),
        ("Jo Marsh; Ada Lind", ["Jo Marsh", "Ada Lind"]),
        ("Jo Marsh | Harbour Desk 2024", ["Jo Marsh"]),
        ("Jo Marsh, Senior Reporter", ["Jo Marsh"]),
        ("Senior Reporter Jo Marsh", ["Jo Marsh"]),
        ("Jo Marsh @jomarsh", ["Jo Marsh"]),
        ("Jo Marsh (jo@gazette.example)", ["Jo Marsh"]),
        ("Marsh, Jo", ["Jo Marsh"]),
        ("Jo Marsh, PhD", ["Jo Marsh"]),
        ("Jo Marsh, Jr.", ["Jo Marsh Jr"]),
        ("Ludwig van der Berg", ["Ludwig van der Berg"]),
        ("Jo Marsh Jo Marsh", ["Jo Marsh"]),
        ("後藤大地", ["後藤大地"]),
        ("著者：後藤大地", ["後藤大地"]),
        ("annette hill", ["annette hill"]),
        ("admin", []),
        ("Read more", []),
        ("March 3, 2024", []),
        ("", []),
    ],
)
def test_trusted_bylines(text: str, names: list[str]) -> None:
    assert split_names(text) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("By Jo Marsh in Oslo", ["Jo Marsh"]),
        ("By Jo Marsh on 3 March 2024", ["Jo Marsh"]),
        ("By signing up you agree to our terms", []),
        ("by the old harbour wall", []),
        ("By Jo Marsh — Photos by Ada Lind", ["Jo Marsh"]),
    ],
)
def test_words_that_only_look_like_a_byline(text: str, names: list[str]) -> None:
    assert split_names(text, trusted=False) == names


@given(st.text(max_size=300))
def test_never_raises_and_gives_names_alone(text: str) -> None:
    for name in split_names(text):
        assert name == name.strip()
        assert 1 < len(name) <= 60


def test_keys_ignore_case_accents_and_points() -> None:
    assert key_of("José M. Peña") == key_of("JOSE M PENA")


def test_organisations() -> None:
    sites = frozenset({"harbour gazette"})
    assert [is_organisation(name, sites) for name in ("HarbourGazette", "Newsroom Staff", "Jo Marsh")] == [
        True,
        True,
        False,
    ]


def test_a_site_s_name_is_one_name() -> None:
    sites = frozenset({"mac i"})
    assert split_names("Mac & i", sites) == ["Mac & i"]
    assert split_names("Mac & i", frozenset()) == ["Mac"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("jmarsh", True),
        ("JoM", True),
        ("jo.marsh", True),
        ("Jo2", True),
        ("Jo", False),
        ("AFP", False),
        ("Jo Marsh", False),
        ("王明", False),
    ],
)
def test_handles(name: str, expected: bool) -> None:
    assert is_handle(name) is expected
