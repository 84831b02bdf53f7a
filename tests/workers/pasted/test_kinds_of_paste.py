"""Texts of many kinds and languages, written for these tests: what people paste that is no page of news."""

import pytest

from workers.pasted.text_reader import read_text

ONE = "The ferry to the outer islands will sail twice a day from the first of May, the harbour office said on Monday."
TWO = "Islanders had asked for a second crossing for years, and the council promised money for the boat last autumn."
THREE = "The fare stays as it is until the end of the year, and children under six travel for nothing as before."

RECIPE = """Bread with caraway

500 g flour
300 ml water
2 tsp salt
1 tsp caraway

Mix the flour with water and salt.
Let the dough rest for an hour.
Bake it for forty minutes."""
POEM = """The boat is late, the tide is low,
the lamp upon the pier burns slow,
and nobody has come.

The gulls are standing in a row,
the boat is late, the tide is low,
the harbour wall is numb."""
INTERVIEW = """What did you do first?
I bought a rope.
And then?
Then I learned to tie it, which took me a whole winter.
Would you do it again?
No."""
CHAT = """[10:12] Ann: is the boat in?
[10:13] Bo: not yet
[10:15] Ann: tell me when it is
[10:40] Bo: now"""
TERMS = """Terms of carriage

1. Scope

1.1 These terms hold for all boats.
1.2 They hold for freight, too.

2. Fares

2.1 Fares are paid on board.
(a) in cash, or
(b) by card."""
TABLE = "Who\tSingle\tReturn\nAdult\t4.50\t8.00\nChild\t2.00\t3.50\nDog\tfree\tfree"
SUBTITLES = """1
00:00:01,000 --> 00:00:03,500
The boat is late again.

2
00:00:04,000 --> 00:00:06,000
It always is in winter."""


def words(text: str) -> list[str]:
    return [word for word in text.replace("-", " ").replace("|", " ").split() if any(map(str.isalpha, word))]


@pytest.mark.parametrize(
    "text",
    [POEM, INTERVIEW, CHAT, TERMS, TABLE, SUBTITLES, "Hello", "Bring the lamp, please."],
    ids=["poem", "interview", "chat", "terms", "table", "subtitles", "word", "sentence"],
)
def test_all_of_a_text_that_is_no_article_stays(text: str) -> None:
    draft = read_text(text)
    said = words(f"{draft.title.value if draft.title else ''} {draft.text}")
    assert [word for word in words(text) if word not in said] == []


def test_a_recipe_keeps_its_ingredients_and_steps() -> None:
    text = read_text(RECIPE).text
    assert all(line in text for line in RECIPE.split("\n")[2:] if line)


def test_the_lines_of_a_poem_stay_lines() -> None:
    assert [line for line in read_text(POEM).text.split("\n") if line] == [line for line in POEM.split("\n") if line]


def test_running_heads_of_a_print_go() -> None:
    text = read_text(f"{ONE}\n\nHarbour Herald — page 1\n\nHarbour Herald — page 2\n\n{TWO}\n\nSeite 3\n\n{THREE}").text
    assert text == f"{ONE}\n\n{TWO}\n\n{THREE}"


def test_a_press_release_has_the_date_of_its_dateline() -> None:
    head = "FOR IMMEDIATE RELEASE\n\nSecond ferry for the outer islands"
    draft = read_text(f"{head}\n\nPIER, May 3, 2024 — {ONE}\n\n{TWO}\n")
    assert draft.published is not None
    assert draft.published.value == "May 3, 2024"


def test_bullets_of_word_are_bullets() -> None:
    text = read_text(f"{ONE}\n\n\uf0b7\tThe landing moves\n\uf0b7\tThe car park stays\n\n{TWO}").text
    assert "- The landing moves\n- The car park stays" in text


PAGES = {
    "ru": (
        "Главная / Новости",
        "Второй паром на дальние острова пойдёт с мая",
        "Анна Каренина, 3 мая 2024, 10:12",
        "Совет порта во вторник вечером решил, что второй паром на дальние острова пойдёт уже в мае.",
        "Жители островов просили об этом много лет: зимой старый паром неделями не выходит из порта из-за ветра.",
        "Поделиться: ВКонтакте",
    ),
    "zh": (
        "首页 > 新闻 > 本地",
        "外岛渡轮明年春天增加班次",
        "2024-05-03 10:12 来源：海港日报 作者：王小明",
        "港务委员会周二晚间在三小时的讨论之后决定，外岛渡轮将于明年春天增加班次，每天开行两次。",
        "岛上居民多年来一直要求增加外岛渡轮的班次，因为冬天只要刮起西风，旧船就会停在港里好几个星期。",
        "分享到：微信 微博",
    ),
    "el": (
        "Αρχική > Ειδήσεις",
        "Δεύτερο πλοίο για τα μακρινά νησιά από τον Μάιο",
        "Της Μαρίας Παππά",
        "Το λιμάνι αποφάσισε την Τρίτη το βράδυ ότι το δεύτερο πλοίο για τα μακρινά νησιά θα ξεκινήσει τον Μάιο.",
        "Οι κάτοικοι των νησιών το ζητούσαν εδώ και χρόνια, γιατί τον χειμώνα το παλιό πλοίο μένει στο λιμάνι.",
        "Μοιραστείτε το: Facebook",
    ),
    "pl": (
        "Strona główna > Wiadomości",
        "Drugi prom na dalekie wyspy popłynie od maja",
        "Autor: Jan Kowalski",
        "Rada portu zdecydowała we wtorek wieczorem, że drugi prom na dalekie wyspy popłynie już od maja.",
        "Mieszkańcy wysp prosili o to od lat, bo zimą stary prom tygodniami nie wypływa z portu przez wiatr.",
        "Udostępnij: Facebook",
    ),
}


@pytest.mark.parametrize("language", PAGES)
def test_pages_in_other_scripts_lose_what_surrounds_the_article(language: str) -> None:
    _, title, _, first, second, share = PAGES[language]
    draft = read_text("\n\n".join(PAGES[language]))
    assert draft.title is not None
    assert draft.title.value == title
    assert draft.authors is not None
    assert (first in draft.text, second in draft.text, share in draft.text) == (True, True, False)


def test_a_short_verse_keeps_its_first_line() -> None:
    verse = "The tide\n\nThe boats lie on the sand,\nthe gulls walk round them,\nand nobody is there"
    once = read_text(verse).text
    assert read_text(once).text == once
