import pytest

from workers.pasted.author_lines import reporters_in
from workers.pasted.byline import Byline, find_byline, find_byline_below, find_credits, names_in
from workers.pasted.lines import lines_of

PROSE = "The ferry to the outer islands will sail twice a day from the first of May, the harbour office said on Monday."


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("（记者 李明）", ("李明",)),
        ("（本报记者 李明、王芳）", ("李明", "王芳")),
        ("本报讯（记者 李明 通讯员 王芳）昨日，港务局宣布", ("李明", "王芳")),
        ("【聯合報╱記者劉明岩／鹿港報導】", ("劉明岩",)),
        ("記者陳鈞凱／台北報導", ("陳鈞凱",)),
        ("2024-05-03 10:12 来源：日报 作者：王小明", ("王小明",)),
        ("배윤경 기자", ("배윤경",)),
        ("[서울=뉴스] 김철수 기자 = 서울시는", ("김철수",)),
        ("记者从港务局获悉，明日开始", ()),
        ("記者會：台灣", ()),
        ("문재인 기자회견", ()),
        ("（责任编辑：李四）", ()),
    ],
)
def test_reporters_of_east_asia_are_named_by_their_role(text: str, names: tuple[str, ...]) -> None:
    assert reporters_in(text) == names


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("Автор статьи: Юлия Клименко", ("Юлия Клименко",)),
        ("Γράφει η Μαρία Παππά", ("Μαρία Παππά",)),
        ("Του Γιάννη Ιωάννου", ("Γιάννη Ιωάννου",)),
        ("Opr. Jan Kowalski", ("Jan Kowalski",)),
        ("Yazan: Ayşe Yılmaz", ("Ayşe Yılmaz",)),
        ("Tác giả: Nguyễn Văn Bình", ("Nguyễn Văn Bình",)),
        ("Oleh: Budi Santoso", ("Budi Santoso",)),
        ("بقلم أحمد علي", ("أحمد علي",)),
        ("מאת יעל כהן", ("יעל כהן",)),
        ("लेखक: रमेश कुमार", ("रमेश कुमार",)),
        ("โดย สมชาย ใจดี", ("สมชาย ใจดี",)),
        ("Редактор: Иван Петров", ()),
        ("Foto: Jan Kowalski", ()),
        ("Της κυβέρνησης αυτής", ()),
    ],
)
def test_labels_of_authors_in_many_languages(line: str, names: tuple[str, ...]) -> None:
    assert names_in(line) == names


@pytest.mark.parametrize("date", ["4 May 2025", "3. Mai 2024, 17:47", "17 stycznia 2012", "4 Ιανουαρίου 2012"])
def test_a_bare_name_beside_a_date_is_a_byline(date: str) -> None:
    lines = lines_of(["A headline about boats", "Jane Roe", date, PROSE])
    assert find_byline(lines, 3) == Byline(("Jane Roe",), 1, 2)


@pytest.mark.parametrize("other", ["Harbour News Agency", "Last Updated", "LATEST NEWS", "Read More"])
def test_other_words_beside_a_date_are_none(other: str) -> None:
    assert find_byline(lines_of(["A headline about boats", other, "4 May 2025", PROSE]), 3) is None


def test_whom_the_article_is_about_is_not_its_author() -> None:
    about = "Jane Roe steered the first ferry to the outer islands when nobody else dared to leave the harbour."
    lines = lines_of(["Jane Roe", "4 May 2025", about, f"{about} Jane Roe is ninety now.", PROSE])
    assert find_byline(lines, 2) is None


def test_a_label_may_stand_above_several_names() -> None:
    lines = lines_of(["A headline", "Von", "Jane Roe", "Änne Aue", PROSE])
    assert find_byline(lines, 4) == Byline(("Jane Roe", "Änne Aue"), 1, 4)


@pytest.mark.parametrize(
    ("last", "names"),
    [
        ("(Reporting by Jane Roe and John Public in Lima; Editing by Orin Vale)", ("Jane Roe", "John Public")),
        ("Автор: Юлия Клименко", ("Юлия Клименко",)),
        ("（记者 李明）", ("李明",)),
        ("Editing by Orin Vale", ()),
    ],
)
def test_authors_at_the_end_of_the_article(last: str, names: tuple[str, ...]) -> None:
    lines = lines_of([PROSE, f"{PROSE} {PROSE}", last])
    assert find_credits(lines, 0, 2) == names


def test_below_the_title_a_name_near_the_time_of_reading_is_a_byline() -> None:
    lines = lines_of(["A headline about boats", "Jane Roe", "Share", "7 min read", PROSE])
    assert find_byline_below(lines, 0, 4) == Byline(("Jane Roe",), 1, 2)


def test_so_is_one_above_a_role() -> None:
    lines = lines_of(["A headline about boats", "Marta Núñez", "Corresponsal en Atenas - editor", PROSE])
    assert find_byline_below(lines, 0, 3) == Byline(("Marta Núñez",), 1, 2)


def test_a_label_whose_words_the_text_has_in_lower_case_is_no_name() -> None:
    text = "Nobody knows what a start costs, and the trial of the second ferry goes on until the harbour freezes over."
    assert find_byline_below(lines_of(["A headline", "Start Trial", "4 May 2025", text]), 0, 3) is None


def test_what_a_label_names_may_begin_with_by() -> None:
    byline = find_byline(lines_of(["Author of the article:", "By Jane Roe", PROSE]), 2)
    assert byline is not None
    assert byline.names == ("Jane Roe",)


def test_a_role_after_the_name_is_no_second_author() -> None:
    assert names_in("By Jane Roe, Harbour Reporter") == ("Jane Roe",)
