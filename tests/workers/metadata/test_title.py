import pytest

from contract.article import Source
from tests.workers.metadata.pages import ld, page
from workers.metadata.title import find_titles

OG = '<meta property="og:title" content="Ferry returns after nine years | Harbour Gazette">'
SITE = '<meta property="og:site_name" content="Harbour Gazette">'


@pytest.mark.parametrize(
    ("head", "body", "title", "source"),
    [
        pytest.param(
            OG,
            "<h1>Harbour Gazette</h1><h1>Ferry returns after nine long years</h1>",
            "Ferry returns after nine long years",
            Source.MARKUP,
            id="the heading most like the metadata",
        ),
        pytest.param(
            OG + SITE, "", "Ferry returns after nine years", Source.OPENGRAPH, id="opengraph without the site's name"
        ),
        pytest.param(
            SITE + ld('{"@type": "NewsArticle", "headline": "Ferry &amp; crew return"}') + OG,
            "",
            "Ferry & crew return",
            Source.JSON_LD,
            id="json-ld before opengraph, references resolved",
        ),
        pytest.param(
            "<title>Ferry returns to the old harbour - Gazette</title>",
            "",
            "Ferry returns to the old harbour",
            Source.META,
            id="title element without its last part",
        ),
        pytest.param(
            '<meta name="twitter:title" content="Ferry returns">', "", "Ferry returns", Source.META, id="twitter"
        ),
        pytest.param(
            "<title>Home</title>",
            "<article><h1>A lone heading stands</h1></article>",
            "A lone heading stands",
            Source.MARKUP,
            id="a lone heading in the article",
        ),
        pytest.param(
            SITE + OG,
            "<h1>Harbour Gazette</h1><h2>Ferry returns after nine years</h2>",
            "Ferry returns after nine years",
            Source.MARKUP,
            id="an h2 where the h1 is the site",
        ),
        pytest.param(
            OG + SITE,
            "<h1><span>Transport</span> <span>Ferry returns after nine years</span></h1>",
            "Ferry returns after nine years",
            Source.OPENGRAPH,
            id="no kicker",
        ),
        pytest.param(
            OG,
            "<h1>Fer\u00adry <em>returns</em><br>after nine years</h1>",
            "Ferry returns after nine years",
            Source.MARKUP,
            id="no soft hyphens, child elements apart",
        ),
    ],
)
def test_title(head: str, body: str, title: str, source: Source) -> None:
    best = find_titles(page(head, body))[0]
    assert (best.value, best.source) == (title, source)


def test_chinese_titles_are_compared_by_character() -> None:
    head = '<meta property="og:title" content="渡船九年后重返旧港">'
    assert find_titles(page(head, "<h1>天气</h1><h1>渡船时隔九年重返旧港</h1>"))[0].value == "渡船时隔九年重返旧港"


def test_the_sites_name_as_a_heading_is_no_title() -> None:
    head = SITE + "<title>Harbour Gazette buys a ferry</title>"
    assert find_titles(page(head, "<h1>Harbour Gazette</h1>"))[0].value == "Harbour Gazette buys a ferry"


def test_a_page_without_any_has_none() -> None:
    assert find_titles(page("", "<p>Words.</p>")) == []


def test_a_heading_aside_is_no_title() -> None:
    assert find_titles(page("", "<aside><h1>Five most read stories today</h1></aside>")) == []


BODY = "<p>The ferry landing moves to the north side of the river next spring.</p>"


@pytest.mark.parametrize(
    ("titles", "body", "title"),
    [
        ("Ferry returns to the harbour｜Local｜Gazette", "", "Ferry returns to the harbour"),
        ("Ferry returns to the harbour 〉 Gazette", "", "Ferry returns to the harbour"),
        ("渡轮码头将于明年春天北迁-羽角网", "", "渡轮码头将于明年春天北迁"),
        ("渡轮码头将于明年春天北迁_新闻频道_羽角新闻", "", "渡轮码头将于明年春天北迁"),
        ("渡轮码头将于明年春天北迁-滚动播报", "<div>渡轮码头将于明年春天北迁</div>", "渡轮码头将于明年春天北迁"),
        ("羽角評論：渡輪碼頭明年春天北遷", "<b>渡輪碼頭明年春天北遷</b>", "渡輪碼頭明年春天北遷"),
        (
            "GAZETTE : Ferry returns to the harbour",
            "<p class='hl'>Ferry returns to the harbour</p>",
            "Ferry returns to the harbour",
        ),
        (
            "Ferry returns to the harbour-Local pages",
            "<td>Ferry returns to the harbour</td>",
            "Ferry returns to the harbour",
        ),
        (
            "Trade-War Scenarios - what now",
            "<div>Trade-War Scenarios - what now</div>",
            "Trade-War Scenarios - what now",
        ),
        (
            "Ferry -- a return to the harbour",
            "<div>Ferry -- a return to the harbour</div>",
            "Ferry -- a return to the harbour",
        ),
        ("La ferme dit « non au retour »", "", "La ferme dit « non au retour »"),
    ],
)
def test_a_title_without_site_and_section(titles: str, body: str, title: str) -> None:
    head = f"<title>{titles}</title>"
    assert find_titles(page(head, body + BODY))[0].value == title


def test_the_site_s_name_on_the_page_is_not_the_headline() -> None:
    head = "<title>Camping Tents | Harbour Co-op Outfitters</title>"
    body = f"<div>Harbour Co-op Outfitters</div><h1>Camping <i>Tents</i></h1>{BODY}"
    assert find_titles(page(head, body))[0].value == "Camping Tents"


@pytest.mark.parametrize(
    ("titles", "title"),
    [
        ("Ferry landing moves-Politics｜Quill Daily", "Ferry landing moves"),
        ("Ferry landing moves_Sport | Quill Daily", "Ferry landing moves"),
        ("渡轮码头北迁_财经｜Quill Daily", "渡轮码头北迁"),
        ("Harbour master is Spider-Man | Quill Daily", "Harbour master is Spider-Man"),
        ("A ferry for post-Brexit | Quill Daily", "A ferry for post-Brexit"),
    ],
)
def test_a_section_before_the_site_s_name(titles: str, title: str) -> None:
    head = f'<meta property="og:title" content="{titles}"><meta property="og:site_name" content="Quill Daily">'
    assert find_titles(page(head, BODY))[0].value == title


def test_the_same_title_by_title_and_opengraph_agrees() -> None:
    both = "Ferry returns to the old harbour"
    head = f'<title>{both} - Gazette</title><meta property="og:title" content="{both}">'
    assert find_titles(page(head, f"<div>{both}</div>{BODY}"))[0].value == both


HEADLINE = "Ferry returns after nine years"
TITLED = f'<meta property="og:title" content="{HEADLINE}">'


@pytest.mark.parametrize(
    ("head", "body"),
    [
        pytest.param(
            f"<title>Gazette.com in town: {HEADLINE}</title>", f"<div>{HEADLINE}</div>", id="a host before a colon"
        ),
        pytest.param(f"<title>News - {HEADLINE}</title>", "", id="a section before the headline"),
        pytest.param(f"<title>{HEADLINE} | Gazette</title>", f"<h1>{HEADLINE} | Opinion</h1>", id="a section after it"),
        pytest.param(
            f"<title>{HEADLINE} | Care | Gazette House</title>",
            f"<h1>{HEADLINE} | Care | Gazette House</h1><h2>{HEADLINE}</h2>",
            id="the whole title as heading",
        ),
        pytest.param(
            f"<title>{HEADLINE} - Gazette</title>",
            f"<h1><a>Gazette</a> › <a>Local news</a> › <b>{HEADLINE}</b></h1>",
            id="a path that ends in the headline",
        ),
        pytest.param(
            f"<title>Gazette::: {HEADLINE} / 04.01.12 / Town</title>",
            f"<h1>{HEADLINE}<br><small>The council said so</small> <i>04.01.12</i></h1>",
            id="small print below the headline",
        ),
        pytest.param(
            f"<title>{HEADLINE}. Ferry news from the town - Town, Sea</title>{TITLED}",
            f"<h1>{HEADLINE}. Ferry news from the town</h1><h1>{HEADLINE}</h1>",
            id="two headings, one as in Open Graph",
        ),
        pytest.param(
            f"<title>Harbour Data Blog: {HEADLINE}</title>{TITLED}",
            f"<h1>Harbour Data Blog</h1><h3 class='post-title'>{HEADLINE}</h3>",
            id="a blog's name as h1",
        ),
        pytest.param(
            TITLED,
            f"<article><h1>A message from the founder</h1><h3 class='post-title'>{HEADLINE}</h3></article>",
            id="another text's h1",
        ),
        pytest.param(
            TITLED, f"<h1><a href='/1'>{HEADLINE}</a> (gazette.example) <i>87</i></h1>", id="a link and numbers beside"
        ),
        pytest.param(
            f"<title>{HEADLINE} | Gazette.example</title>", f"<p>{HEADLINE} | Gazette.example</p>", id="the domain"
        ),
    ],
)
def test_only_the_headline_is_the_title(head: str, body: str) -> None:
    assert find_titles(page(head, body, url="https://shop.gazette.example/1"))[0].value == HEADLINE


def test_a_short_headline_after_a_site_s_name_and_a_colon() -> None:
    head = "<title>GAZETTE : The ferries</title>"
    assert find_titles(page(head, '<div class="title4">The ferries</div>'))[0].value == "The ferries"


@pytest.mark.parametrize("href", ["/", "https://www.harbour-gazette.example/", "/index.html"])
def test_a_link_home_has_the_site_s_name(href: str) -> None:
    head = f"<title>Old Town Herald of the Sea - {HEADLINE}</title>"
    link = f'<a href="{href}">Old Town Herald of the Sea</a>'
    assert find_titles(page(head, f"{link}<h1>Old Town Herald of the Sea</h1>"))[0].value == HEADLINE


def test_a_link_to_another_site_s_home_is_no_site_name() -> None:
    head = "<title>Klatch Coffee of the town | App Store</title>"
    body = '<h1>Klatch Coffee of the town</h1><a href="https://klatch.example/">Klatch Coffee of the town</a>'
    assert find_titles(page(head, body))[0].value == "Klatch Coffee of the town"


def test_a_heading_of_two_lines_is_whole_where_the_metadata_have_both() -> None:
    whole = "What tutoring is and is not - Choosing a good and effective tutor"
    first, second = whole.split(" - ")
    body = f"<h1><span>{first}</span> <span>{second}</span></h1>"
    assert find_titles(page(f'<meta property="og:title" content="{whole}">', body))[0].value != second
