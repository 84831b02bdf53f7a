"""Bylines of several authors, in the languages of the world's newspapers."""

import pytest

from workers.metadata.person_names import split_names


@pytest.mark.parametrize(
    ("language", "text", "names"),
    [
        ("en", "By Jo Marsh, Ada Lind and Tom Berg", ["Jo Marsh", "Ada Lind", "Tom Berg"]),
        ("de", "Von Jörg Maier und Ute Böhm", ["Jörg Maier", "Ute Böhm"]),
        ("fr", "Par Zoé Brûlé et Luc Petit", ["Zoé Brûlé", "Luc Petit"]),
        ("es", "Por Ana Gil y Luis Peña", ["Ana Gil", "Luis Peña"]),
        ("pt", "Por Inês Sá e João Reis", ["Inês Sá", "João Reis"]),
        ("it", "di Elena Riva e Marco Neri", ["Elena Riva", "Marco Neri"]),
        ("nl", "Door Jan de Wit en Els van Dam", ["Jan de Wit", "Els van Dam"]),
        ("da", "Af Bo Holm og Ida Krogh", ["Bo Holm", "Ida Krogh"]),
        ("nb", "Tekst: Kari Moen og Ola Lie", ["Kari Moen", "Ola Lie"]),
        ("sv", "Av Åsa Ek och Nils Alm", ["Åsa Ek", "Nils Alm"]),
        ("fi", "Aino Salo ja Eero Koski", ["Aino Salo", "Eero Koski"]),
        ("pl", "Autor: Ewa Lis i Jan Kos", ["Ewa Lis", "Jan Kos"]),
        ("cs", "Jan Novák a Eva Malá", ["Jan Novák", "Eva Malá"]),
        ("tr", "Ayşe Kaya ve Ali Demir", ["Ayşe Kaya", "Ali Demir"]),
        ("ro", "Ana Pop și Ion Rusu", ["Ana Pop", "Ion Rusu"]),
        ("hu", "Kovács Anna és Nagy Péter", ["Kovács Anna", "Nagy Péter"]),
        ("el", "Άννα Ρήγα και Νίκος Δήμου", ["Άννα Ρήγα", "Νίκος Δήμου"]),
        ("ru", "Автор: Анна Белова и Иван Чернов", ["Анна Белова", "Иван Чернов"]),
        ("uk", "Олена Коваль та Іван Мороз", ["Олена Коваль", "Іван Мороз"]),
        ("ar", "بقلم أحمد علي و سعاد حسن", ["أحمد علي", "سعاد حسن"]),
        ("ja", "文：田中太郎、鈴木花子", ["田中太郎", "鈴木花子"]),
        ("ja", "田中太郎と鈴木花子", ["田中太郎", "鈴木花子"]),
        ("zh", "作者：张三丰和李四光", ["张三丰", "李四光"]),
        ("ko", "김철수 기자, 이영희 기자", ["김철수", "이영희"]),
    ],
)
def test_several_authors(language: str, text: str, names: list[str]) -> None:
    assert split_names(text) == names, language


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("José Ortega y Gasset", ["José Ortega y Gasset"]),
        ("Linny and Peter", ["Linny", "Peter"]),
        ("JO MARSH AND ADA LIND", ["Jo Marsh", "Ada Lind"]),
        ("BBC NEWS", ["BBC NEWS"]),
        ("AFP", ["AFP"]),
        ("Jo Marsh, M.D.", ["Jo Marsh"]),
        ("Chefredakteurin Ute Böhm", ["Ute Böhm"]),
        ("Jo Marsh, Marketing Director", ["Jo Marsh"]),
        ("後藤大地記者", ["後藤大地"]),
        ("Anthony Head", ["Anthony Head"]),
    ],
)
def test_forms_of_names(text: str, names: list[str]) -> None:
    assert split_names(text) == names


def test_a_trade_is_no_name() -> None:
    assert split_names("Trial Attorney", trusted=False) == []
