import pytest

from contract.article import Source
from workers.document import Sourced
from workers.normalise.language import identify, standard_tag

GERMAN = (
    "Der Stadtrat hat am Dienstag nach langer Debatte beschlossen, die alte Brücke über den Fluss noch in diesem Jahr "
    "zu erneuern. Die Kosten werden auf zwölf Millionen Euro geschätzt, und die Arbeiten sollen im Herbst beginnen."
)
DANISH_OR_NORWEGIAN = "Jeg er glad for at være her i dag"


def meta(tag: str) -> Sourced[str]:
    return Sourced(tag, Source.META)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (GERMAN, "de"),
        ("Le conseil municipal a décidé mardi de rénover le vieux pont cette année.", "fr"),
        ("市議会は火曜日、古い橋を今年中に改修することを決めた。", "ja"),
        ("市议会星期二决定今年翻修这座旧桥。", "zh"),
        ("Городской совет во вторник решил отремонтировать старый мост.", "ru"),
    ],
)
def test_the_text_says_its_language(text: str, language: str) -> None:
    identified = identify(text, None, None)

    assert identified.tag == Sourced(language, Source.TEXT)
    assert identified.confidence is not None
    assert 0.5 <= identified.confidence <= 1


def test_a_declared_language_that_agrees_keeps_its_source_and_region() -> None:
    identified = identify(GERMAN, None, meta("de_AT"))

    assert identified.tag == Sourced("de", Source.META)
    assert identified.locale == "de-AT"


def test_a_long_text_overrules_what_is_declared() -> None:
    identified = identify(GERMAN, None, meta("en-US"))

    assert identified.tag == Sourced("de", Source.TEXT)
    assert identified.locale == "de"


@pytest.mark.parametrize("declared", ["da", "no", "nb-NO"])
def test_between_neighbours_the_declared_one_wins(declared: str) -> None:
    language = "no" if declared == "nb-NO" else declared

    assert identify(DANISH_OR_NORWEGIAN, None, meta(declared)).tag == Sourced(language, Source.META)


@pytest.mark.parametrize("text", ["", "Ok", "123 456"])
def test_a_text_too_short_to_tell(text: str) -> None:
    assert identify(text, None, None).tag is None
    assert identify(text, None, None).confidence is None
    assert identify(text, None, meta("it")).tag == Sourced("it", Source.META)


def test_a_declared_language_that_the_model_does_not_know_stands() -> None:
    identified = identify(GERMAN, None, meta("gsw"))

    assert identified.tag == Sourced("gsw", Source.META)
    assert identified.confidence is None


def test_the_caller_wins_over_page_and_text() -> None:
    identified = identify(GERMAN, "nl-BE", meta("de"))

    assert identified.tag == Sourced("nl", Source.CALLER)
    assert identified.locale == "nl-BE"
    assert identified.confidence is not None
    assert identified.confidence < 0.5


def test_the_caller_may_leave_the_region_to_the_page() -> None:
    assert identify(GERMAN, "de", meta("de-CH")).locale == "de-CH"
    assert identify(GERMAN, "de-AT", meta("de-CH")).locale == "de-AT"


def test_an_invalid_language_of_the_caller_is_ignored() -> None:
    assert identify(GERMAN, "und", meta("de")).tag == Sourced("de", Source.META)


@pytest.mark.parametrize(
    ("tag", "standard"),
    [
        ("en_us", "en-US"),
        ("EN", "en"),
        ("iw", "he"),
        ("deu", "de"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("cmn", "zh"),
        *((tag, None) for tag in ("", "und", "mul", "zxx", "xx", "english", "${lang}", "en,de", "x-default", "C", "é")),
    ],
)
def test_standard_tags(tag: str, standard: str | None) -> None:
    assert standard_tag(tag) == standard


def test_the_callers_language_is_a_prior_like_a_declared_one() -> None:
    said = identify("Hotel Taxi Restaurant", "de", None).confidence
    declared = identify("Hotel Taxi Restaurant", None, Sourced("de", Source.META)).confidence

    assert said == declared
    assert said is not None
    assert 0 < said < 1
