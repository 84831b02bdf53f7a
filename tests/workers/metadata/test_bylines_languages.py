"""Bylines as sites of many languages write them, from a page to its authors."""

import pytest

from tests.workers.metadata.pages import ld, page
from workers.metadata.authors import find_authors
from workers.metadata.person_names import split_names

TEXT = "<p>The ferry landing moves to the north side of the river next spring, the council decided on Tuesday.</p>" * 3
CHINESE = "<p>" + "委员会预计工程需要八个月，费用约为两百万，其中大部分来自去年设立的小型港口地区基金。" * 12


def authors(body: str, head: str = "", lang: str = "en") -> list[str]:
    article = f"<article><h1>Ferry landing moves north</h1>{body}</article><footer>© Harbour Gazette</footer>"
    found = find_authors(page(head, article, lang=lang))
    return list(found[0].value) if found else []


@pytest.mark.parametrize(
    ("lang", "byline", "names"),
    [
        ("en", "By Mara Quill and Orin Vale, Senior Harbour Correspondents", ["Mara Quill", "Orin Vale"]),
        ("en", "Reporting by Mara Quill; Editing by Orin Vale", ["Mara Quill"]),
        ("zh", "2024年5月3日 10:20 来源：羽角日报 作者：王小明 责任编辑：李四", ["王小明"]),
        ("zh", "本报记者 王小明 李四光", ["王小明", "李四光"]),
        ("zh", "责任编辑：李四", []),
        ("zh-TW", "記者王小明／台北報導", ["王小明"]),
        ("zh-TW", "撰文：王小明　攝影：李四光", ["王小明"]),
        ("ja", "取材・文＝山田太郎", ["山田太郎"]),
        ("ja", "山田太郎記者", ["山田太郎"]),
        ("ko", "홍길동 기자 hong@a.example", ["홍길동"]),
        ("ko", "글 홍길동", ["홍길동"]),
        ("ar", "بقلم: أحمد علي ومحمد حسن", ["أحمد علي", "محمد حسن"]),
        ("fa", "نویسنده: علی رضایی", ["علی رضایی"]),
        ("he", "מאת: דנה כהן ויוסי לוי", ["דנה כהן", "יוסי לוי"]),
        ("ru", "Текст: Анна Иванова, фото: Пётр Смирнов", ["Анна Иванова"]),
        ("th", "โดย สมชาย ใจดี", ["สมชาย ใจดี"]),
        ("hi", "द्वारा राम कुमार", ["राम कुमार"]),
        ("tr", "Haber: Ayşe Demir", ["Ayşe Demir"]),
        ("el", "Γράφει ο Γιώργος Παπαδόπουλος", ["Γιώργος Παπαδόπουλος"]),
        ("el", "Συντάκτης: Μαρία Νικολάου", ["Μαρία Νικολάου"]),
        ("vi", "Tác giả: Nguyễn Văn An", ["Nguyễn Văn An"]),
        ("zh", "文/王小明", ["王小明"]),
        ("zh", "来源：羽角日报 | 作者：王小明、李四光", ["王小明", "李四光"]),
        ("zh", "记者 王小明 报道", ["王小明"]),
        ("zh", "通讯员 张三丰", ["张三丰"]),
        ("zh", "编辑：李四 记者：王小明", ["王小明"]),
        ("zh-TW", "〔記者王小明／台北報導〕", ["王小明"]),
        ("zh-TW", "文：王小明　圖：李四光", ["王小明"]),
        ("ja", "文＝山田太郎　写真＝鈴木花子", ["山田太郎"]),
        ("ja", "ライター：山田太郎", ["山田太郎"]),
        ("ja", "聞き手・山田太郎", ["山田太郎"]),
        ("ja", "編集：鈴木花子", []),
        ("ko", "홍길동 특파원", ["홍길동"]),
        ("ko", "기자 홍길동", ["홍길동"]),
        ("ko", "[서울=뉴스] 홍길동 기자", ["홍길동"]),
        ("ko", "홍길동·김철수 기자", ["홍길동", "김철수"]),
        ("ko", "글·사진 홍길동 기자", ["홍길동"]),
        ("ko", "입력 2024.05.03 홍길동 기자", ["홍길동"]),
        ("ar", "إعداد: أحمد علي", ["أحمد علي"]),
        ("ar", "الكاتب: أحمد علي", ["أحمد علي"]),
        ("ar", "تصوير: أحمد علي", []),
        ("he", "כתב: יוסי לוי", ["יוסי לוי"]),
        ("he", "צילום: יוסי לוי", []),
        ("ru", "Анна Иванова, корреспондент", ["Анна Иванова"]),
        ("ru", "Беседовала Анна Иванова", ["Анна Иванова"]),
        ("ru", "Подготовила Анна Иванова", ["Анна Иванова"]),
        ("th", "เรื่อง: สมชาย ใจดี ภาพ: สมหญิง รักดี", ["สมชาย ใจดี"]),
        ("th", "เขียนโดย สมชาย ใจดี", ["สมชาย ใจดี"]),
        ("hi", "रिपोर्ट: राम कुमार", ["राम कुमार"]),
        ("hi", "संपादक: राम कुमार", []),
        ("tr", "Yazar: Ayşe Demir ve Ali Kaya", ["Ayşe Demir", "Ali Kaya"]),
        ("tr", "Muhabir: Ayşe Demir", ["Ayşe Demir"]),
        ("tr", "Editör: Ali Kaya", []),
        ("el", "Ρεπορτάζ: Μαρία Νικολάου", ["Μαρία Νικολάου"]),
        ("el", "Φωτογραφίες: Νίκος Δήμου", []),
        ("vi", "Bài: Nguyễn Văn An", ["Nguyễn Văn An"]),
        ("vi", "Bài viết: Nguyễn Văn An; Ảnh: Trần Minh", ["Nguyễn Văn An"]),
        ("id", "Penulis: Budi Santoso", ["Budi Santoso"]),
        ("id", "Oleh: Budi Santoso", ["Budi Santoso"]),
        ("de", "Redaktion: Jörg Maier", ["Jörg Maier"]),
        ("de", "04.02.2022 | 13:10 Uhr | Jörg Maier", ["Jörg Maier"]),
        ("de", "11.12.2019, Jörg Maier", ["Jörg Maier"]),
        ("es", "Redacción: Ana Gil", ["Ana Gil"]),
        ("fr", "Propos recueillis par Zoé Brûlé", ["Zoé Brûlé"]),
        ("it", "a cura di Elena Riva", ["Elena Riva"]),
        ("pl", "Oprac. Ewa Lis", ["Ewa Lis"]),
        ("pl", "Tekst: Ewa Lis, zdjęcia: Jan Kos", ["Ewa Lis"]),
        ("hu", "Írta: Kovács Anna", ["Kovács Anna"]),
        ("fi", "Teksti: Aino Salo, kuvat: Eero Koski", ["Aino Salo"]),
        ("en", "Mara Quill, Harbour Correspondent", ["Mara Quill"]),
        ("en", "Mara Quill | Staff Writer | May 3, 2024", ["Mara Quill"]),
        ("en", "Edited by Orin Vale", []),
        ("en", "Photography by Orin Vale", []),
    ],
)
def test_a_byline_below_the_heading(lang: str, byline: str, names: list[str]) -> None:
    assert authors(f"<p>{byline}</p>{TEXT}", lang=lang) == names


@pytest.mark.parametrize(
    ("end", "names"),
    [
        (f"{CHINESE}（记者 王小明）</p>", ["王小明"]),
        (f"{CHINESE}（本报记者 王小明 李四光）</p>", ["王小明", "李四光"]),
        (f"{CHINESE}【記者王小明】</p>", ["王小明"]),
        (f"{CHINESE}（責任編輯：李四光）</p>", []),
        ("<p>작업은 일 년이 걸린다.</p><p>홍길동 기자 hong@a.example</p>", ["홍길동"]),
        ("<p>Работа займёт год. (Текст: Анна Иванова)</p>", ["Анна Иванова"]),
        (
            "<p>It takes a year. (Reporting by Mara Quill and Jo Fen in London; Editing by Orin Vale)</p>",
            ["Mara Quill", "Jo Fen"],
        ),
        ("<p>Reporting by Mara Quill; Editing by Orin Vale</p>", ["Mara Quill"]),
        ("<p>It takes a year (by the old road).</p>", []),
    ],
)
def test_a_byline_at_the_end_of_the_article(end: str, names: list[str]) -> None:
    assert authors(TEXT + end) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Mara Quill, Harbour Bureau Chief", ["Mara Quill"]),
        ("Mara Quill, Foreign Affairs Editors", ["Mara Quill"]),
        ("Jan Kowalski, redaktor naczelny", ["Jan Kowalski"]),
        ("Ирина Ким, специальный корреспондент «Газеты»", ["Ирина Ким"]),
        ("María López, corresponsal en Londres", ["María López"]),
        ("Photos by Orin Vale", []),
        ("Редактор: Олег Смирнов", []),
        ("山田 太郎", ["山田 太郎"]),
        ("王小明（编辑）", ["王小明"]),
        ("John Head, Mary Chef", ["John Head", "Mary Chef"]),
    ],
)
def test_roles_are_no_names(text: str, names: list[str]) -> None:
    assert split_names(text) == names


@pytest.mark.parametrize(
    "company", ["SINA Inc", "Comsenz Inc.", "Harbour Media GmbH", "羽角传媒有限公司", "ООО Гавань"]
)
def test_a_company_is_no_author(company: str) -> None:
    assert authors(TEXT, f'<meta name="author" content="{company}">') == []
    assert (
        authors(TEXT, ld(f'{{"@type": "Article", "author": {{"@type": "Organization", "name": "{company}"}}}}')) == []
    )


def test_the_owner_of_the_copyright_is_no_author() -> None:
    assert authors(TEXT, '<meta property="og:site_name" content="Harbour Gazette">') == []


@pytest.mark.parametrize(
    "script",
    [
        (
            '{"@graph": [{"@type": "Article", "author": "https://a.example/#/p/1"},'
            ' {"@id": "https://a.example/#/p/1", "@type": "Person", "name": "Mara Quill"}]}'
        ),
        (
            '{"@graph": [{"@type": "Article", "author": {"@id": "#1", "@type": "Person", "url": "/a"}},'
            ' {"@id": "#1", "@type": "Person", "name": "Mara Quill"}]}'
        ),
        '{"@type": "Article", "author": {"@type": "Person", "givenName": "Mara", "familyName": "Quill"}}',
        '{"@type": "Article", "author": {"@type": "Person", "name": {"@value": "Mara Quill"}}}',
        '{"@type": "Article", "author": {"@type": "Person", "author": {"name": "Mara Quill"}}}',
        '{"@type": "Article", "headline": "The "old" ferry", "author": {"@type": "Person", "name": "Mara Quill"}}',
        '{"@type": "Article", "headline": "He said "no", twice", "author": {"@type": "Person", "name": "Mara Quill"}}',
        "{'@type': 'Article', 'author': {'@type': 'Person', 'name': 'Mara Quill'}}",
        "{“@type”: “Article”, “author”: {“@type”: “Person”, “name”: “Mara Quill”}}",
        '{"@type": "Article", "headline": oops, "author": [{"@type": "Person", "name": "Mara Quill"}]}',
    ],
)
def test_authors_in_json_ld_of_many_forms(script: str) -> None:
    assert authors(TEXT, ld(script)) == ["Mara Quill"]
