from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.article import Source
from tests.workers.metadata.pages import URL, ld, sources_of, tree
from workers.document import Sourced
from workers.metadata.date_votes import find_modified, find_published
from workers.metadata.shown_dates import shown_dates
from workers.metadata.written_dates import parse_timestamp, parse_url_date, parse_written_date

NOW = datetime(2025, 6, 15, 12, tzinfo=UTC)
H1 = "<h1>Ferry returns after nine years</h1>"


def published(head: str = "", body: str = "", url: str = URL, lang: str = "en") -> list[Sourced[str]]:
    parsed = tree(head, body, lang)
    page = sources_of(parsed, url)
    return find_published(page, parsed, shown_dates(page), NOW)


def modified(head: str = "", body: str = "", first: str | None = None) -> list[str]:
    page = sources_of(tree(head, body), URL)
    return [found.value for found in find_modified(page, shown_dates(page), first, NOW)]


@pytest.mark.parametrize(
    ("head", "body", "date", "source"),
    [
        pytest.param(
            ld('{"@type": "Article", "datePublished": "2024-03-05T08:00:00+01:00"}'),
            "",
            "2024-03-05T08:00:00+01:00",
            Source.JSON_LD,
            id="json-ld, offset as stated",
        ),
        pytest.param(
            '<meta property="article:published_time" content="2024-03-05T08:00:00Z">',
            "",
            "2024-03-05T08:00:00+00:00",
            Source.META,
            id="published_time",
        ),
        pytest.param('<meta name="date" content="2024/03/05">', "", "2024-03-05", Source.META, id="other meta"),
        pytest.param(
            "",
            H1 + '<time datetime="2024-03-05 08:00">today</time>',
            "2024-03-05T08:00:00",
            Source.MARKUP,
            id="time",
        ),
        pytest.param(
            "",
            H1 + '<i itemprop="datePublished" content="2024-03-05">x</i>',
            "2024-03-05",
            Source.MARKUP,
            id="itemprop",
        ),
        pytest.param("", H1 + '<p class="dateline">5 March 2024</p>', "2024-03-05", Source.MARKUP, id="class"),
        pytest.param("", H1 + "<p>March 5, 2024</p>", "2024-03-05", Source.MARKUP, id="text after the heading"),
    ],
)
def test_published(head: str, body: str, date: str, source: Source) -> None:
    best = published(head, body)[0]
    assert (best.value, best.source) == (date, source)


def test_published_from_the_address() -> None:
    (only,) = published(url="https://a.example/2024/03/05/ferry")
    assert (only.value, only.source) == ("2024-03-05", Source.URL)


def test_the_guess_of_htmldate_is_said_to_be_one() -> None:
    assert published(body="<p>Harbour, <b>published 05/03/24 by us</b></p>")[0].source is Source.HEURISTIC


def test_most_weight_wins_and_the_rest_are_candidates() -> None:
    head = ld('{"@type": "Article", "datePublished": "2020-01-02"}')
    head += '<meta property="article:published_time" content="2024-03-05T08:00:00Z">'
    found = published(head, H1 + '<time datetime="2024-03-05">5 March</time>')
    assert [one.value[:10] for one in found] == ["2024-03-05", "2020-01-02"]


def test_the_data_of_the_page_stands_in_for_the_article_s() -> None:
    head = ld('{"@graph": [{"@type": "Article"}, {"@type": "WebPage", "datePublished": "2024-03-05"}]}')
    found = published(head)[0]
    assert (found.value, found.source) == ("2024-03-05", Source.JSON_LD)


def test_the_date_of_a_part_is_not_the_page_s() -> None:
    video = '{"@type": "VideoObject", "datePublished": "2024-03-05"}'
    found = published(ld(f'{{"@type": "Product", "subjectOf": {video}}}'))
    assert Source.JSON_LD not in [one.source for one in found]


def test_one_line_with_a_date_is_enough() -> None:
    guess = '<p class="entry"><abbr title="2023-01-09">9/1/23</abbr></p>'
    assert published(body=guess)[0].value == "2023-01-09"
    assert published(body=f"{H1}<p>March 5, 2024</p>{guess}")[0].value == "2024-03-05"


@pytest.mark.parametrize("stated", ["2025-06-17", "2030-01-02", "1970-01-01T00:00:00Z", "soon", "2024-02-31"])
def test_impossible_dates_are_not_taken(stated: str) -> None:
    found = published(ld(f'{{"@type": "Article", "datePublished": "{stated}"}}'))
    assert stated[:10] not in [one.value[:10] for one in found]


def test_a_day_ahead_is_a_time_zone() -> None:
    assert published('<meta name="date" content="2025-06-16T01:00:00+14:00">')[0].value == "2025-06-16T01:00:00+14:00"


def test_an_update_is_not_the_publication() -> None:
    body = H1 + '<p>Updated: <time datetime="2024-04-01">1 April</time></p><time datetime="2024-03-05">5 March</time>'
    assert published("", body)[0].value == "2024-03-05"
    assert modified("", body) == ["2024-04-01"]


def test_the_moment_of_the_last_change_is_not_the_publication() -> None:
    changed = "2024-03-06T08:00:00Z"
    head = ld(f'{{"@type": "Article", "datePublished": "2024-03-05T20:00:00Z", "dateModified": "{changed}"}}')
    head += f'<meta property="article:published_time" content="{changed}">'
    times = f'{H1}<p><time datetime="{changed}">March 5 / Updated March 6</time></p>'

    assert published(head, times)[0].value == "2024-03-05T20:00:00+00:00"


def test_modified_is_none_before_the_publication() -> None:
    head = ld('{"@type": "Article", "dateModified": "2024-03-07T10:00:00+02:00"}')
    assert modified(head, first="2024-03-05T08:00:00Z") == ["2024-03-07T10:00:00+02:00"]
    assert modified(head, first="2024-03-08") == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            "<p><span>Updated January 2, 2024</span> <span>Published May 2, 2019</span></p>", id="spans, update first"
        ),
        pytest.param("<p class='meta'>Updated January 2, 2024 | Published May 2, 2019</p>", id="one line"),
        pytest.param(
            "<p class='meta'>May 2, 2019 | Last updated on January 2, 2024</p>", id="the first without a label"
        ),
        pytest.param("<p>First published 2 May 2019. Last modified 2 January 2024.</p>", id="sentences"),
        pytest.param("<dl><dt>Updated</dt><dd>2 January 2024</dd><dt>Posted</dt><dd>2 May 2019</dd></dl>", id="a list"),
        pytest.param("<p class='date'>2019年5月2日 公開 2024年1月2日 更新</p>", id="labels after the dates"),
        pytest.param("<p class='date'>입력 2019.05.02 10:00 수정 2024.01.02 11:00</p>", id="Korean"),
        pytest.param("<p class='date'>Veröffentlicht 2.5.2019, aktualisiert 2.1.2024</p>", id="German"),
        pytest.param("<p class='date'>Опубликовано 2.5.2019, обновлено 2.1.2024</p>", id="Russian"),
        pytest.param("<p class='date'>Giriş 02.05.2019 - Güncelleme 02.01.2024</p>", id="Turkish"),
        pytest.param("<p class='date'>تم النشر ٢ مايو ٢٠١٩ - آخر تحديث ٢ يناير ٢٠٢٤</p>", id="Arabic"),
        pytest.param("<p class='date'>פורסם 02.05.2019 עודכן 02.01.2024</p>", id="Hebrew"),
        pytest.param("<p class='date'>Đăng ngày 2 tháng 5, 2019 - Cập nhật 2 tháng 1, 2024</p>", id="Vietnamese"),
        pytest.param("<p class='date'>เผยแพร่ 2 พ.ค. 2562 ปรับปรุง 2 ม.ค. 2567</p>", id="Thai"),
        pytest.param("<p class='date'>प्रकाशित 2 मई 2019 अपडेट 2 जनवरी 2024</p>", id="Hindi"),
        pytest.param("<p class='date'>Δημοσίευση 02.05.2019 Ενημέρωση 02.01.2024</p>", id="Greek"),
        pytest.param(
            "<time itemprop='dateModified' datetime='2024-01-02T10:00:00Z'>2/5/2019 | Actualizado 2/1/2024</time>",
            id="two dates in one time element",
        ),
    ],
)
def test_the_words_before_a_date_say_what_it_is_of(body: str) -> None:
    assert published("", H1 + body, lang="de")[0].value == "2019-05-02"
    assert [one[:10] for one in modified("", H1 + body)][:1] == ["2024-01-02"]


@pytest.mark.parametrize(
    "body",
    [
        "<p class='updated-date'>Last updated: January 2, 2024</p>",
        "<p>Updated <time datetime='2024-01-02'>2 January</time></p>",
        "<p><strong>Last updated:</strong> January 2, 2024</p>",
        "<p class='date'>Zuletzt aktualisiert am 2. Januar 2024</p>",
        "<p class='date'>Mis à jour le 2 janvier 2024</p>",
    ],
)
def test_a_page_that_states_only_its_last_change_has_no_publication(body: str) -> None:
    assert published("", H1 + body) == []
    assert modified("", H1 + body)[0][:10] == "2024-01-02"


def test_a_page_with_one_date_may_give_it_both_names() -> None:
    body = H1 + '<time class="entry-date published updated" datetime="2024-03-05T08:00:00Z">5 March</time>'
    assert published("", body)[0].value == "2024-03-05T08:00:00+00:00"


def test_a_teaser_does_not_stand_in_for_the_publication() -> None:
    teaser = "<p>words</p>" * 150 + "<div><p class='date'>April 26, 2023</p></div>"
    assert published("", f"{H1}<p class='date'>Updated January 2, 2024</p>{teaser}") == []


@pytest.mark.parametrize(
    "body",
    [
        "<span class='date' data-timestamp='1714724400'>this morning</span>",
        "<time datetime='1714724400'>this morning</time>",
        "<time datetime='Fri May 03 2024 10:20:00 GMT+0200 (CEST)'>this morning</time>",
    ],
)
def test_machine_readable_moments_of_elements(body: str) -> None:
    assert published("", H1 + body)[0].value in {"2024-05-03T08:20:00+00:00", "2024-05-03T10:20:00+02:00"}


def test_a_date_relative_to_now_counts_where_there_is_no_other() -> None:
    ago = "<time class='ago'>3 days ago</time>"
    assert published("", H1 + ago)[0].value == "2025-06-12"
    assert published("", f"{H1}{ago}<p class='date'>March 5, 2024</p>")[0].value == "2024-03-05"


@pytest.mark.parametrize(
    ("text", "language", "date"),
    [
        ("5. März 2024", "de", "2024-03-05"),
        ("5 mars 2024", "fr", "2024-03-05"),
        ("5 de marzo de 2024", "es", "2024-03-05"),
        ("5 marca 2024", "pl", "2024-03-05"),
        ("5 марта 2024", "ru", "2024-03-05"),
        ("Sept. 5, 2024", "en", "2024-09-05"),
        ("the 5th of March 2024", "en", "2024-03-05"),
        ("05.03.2024, 10:00 Uhr", "de", "2024-03-05"),
        ("05/03/2024", "en-GB", "2024-03-05"),
        ("03/05/2024", "en-US", "2024-03-05"),
        ("25/03/2024", "en-US", "2024-03-25"),
        ("2024年3月5日", "ja", "2024-03-05"),
        ("May 2024", "en", None),
        ("room 2024", "xx-nonsense", None),
    ],
)
def test_dates_in_words(text: str, language: str, date: str | None) -> None:
    written = parse_written_date(text, language)
    assert (written.iso if written else None) == date


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("2024-03-05T08:09:10.123+0100", "2024-03-05T08:09:10+01:00"),
        ("2024-03-05T8:09", "2024-03-05T08:09:00"),
        ("2024-03-05T99:99:99Z", "2024-03-05"),
        ("Tue, 05 Mar 2024 08:00:00 +0100", "2024-03-05T08:00:00+01:00"),
        ("20240305", "2024-03-05"),
    ],
)
def test_stamps(text: str, stated: str) -> None:
    written = parse_timestamp(text)
    assert written is not None
    assert written.iso == stated


@pytest.mark.parametrize(
    "url", ["https://a.example/202403051234", "https://a.example/2024/13/05/", "https://a.example/"]
)
def test_addresses_without_a_date(url: str) -> None:
    assert parse_url_date(url) is None


@given(st.text(max_size=80), st.sampled_from(["en", "de", "", "xx", "\x00", "zh-Hant-TW"]))
def test_parsing_never_raises(text: str, language: str) -> None:
    for written in (parse_timestamp(text), parse_written_date(text, language), parse_url_date(text)):
        assert written is None or datetime.fromisoformat(written.iso).date() == written.day


def test_a_moment_in_two_clocks_is_one_with_its_offset() -> None:
    head = '<meta property="article:published_time" content="2024-03-06T00:08:44+00:00">'
    head += '<meta name="date" content="2024-03-05T19:08:44">'
    assert [one.value for one in published(head)] == ["2024-03-05T19:08:44-05:00"]


@pytest.mark.parametrize("local", ["2024-03-05T19:08:45", "2024-03-05T19:09:44", "2024-03-05T03:08:44"])
def test_two_moments_stay_apart(local: str) -> None:
    head = '<meta property="article:published_time" content="2024-03-06T00:08:44+00:00">'
    assert published(f'{head}<meta name="date" content="{local}">')[0].value == "2024-03-06T00:08:44+00:00"


@pytest.mark.parametrize("issue", ["March 12, 2024 Issue", "Issue of March 12, 2024", "Ausgabe vom 12. März 2024"])
def test_the_date_of_an_issue_is_not_the_publication(issue: str) -> None:
    body = f'{H1}<p class="date">{issue}</p><time>March 5, 2024</time>'
    assert published("", body, url="https://a.example/magazine/2024/03/12/ferry")[0].value == "2024-03-05"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("05.03.24", "2024-03-05"),
        ("05.03.24, 14:05 Uhr", "2024-03-05"),
        ("05.03.98 14:05", "1998-03-05"),
        ("٠٥.٠٣.٢٤", "2024-03-05"),
        ("5 | 3 | 2024", "2024-03-05"),
        ("5 . 3 . 2024", "2024-03-05"),
    ],
)
def test_a_date_of_few_digits(text: str, day: str) -> None:
    assert published("", f"{H1}<p class='date'>{text}</p>", lang="de")[0].value == day


@pytest.mark.parametrize("text", ["Version 05.03.24", "05.03.24.1", "99.03.24", "05.03.24 and more"])
def test_numbers_with_points_are_no_date(text: str) -> None:
    assert parse_written_date(text, "de") is None


@pytest.mark.parametrize("name", ["schema:datePublished", "dc:date", "dcterms:issued", "datePublished"])
def test_rdfa_states_the_publication(name: str) -> None:
    assert published("", f'{H1}<i property="{name}" content="2024-03-05"></i>')[0].value == "2024-03-05"


def test_a_property_of_another_vocabulary_is_no_publication() -> None:
    assert published("", f'{H1}<i property="event:date" content="2024-03-05"></i>') == []
