import pytest

from contract.article import Source
from tests.workers.metadata.pages import ld, page
from workers.metadata.author_candidates import AuthorCandidate
from workers.metadata.author_mentions import Mention, MentionKind
from workers.metadata.authors import ScoredCandidate, choose_authors, find_authors
from workers.metadata.person_names import key_of

H1 = "<h1>Ferry returns after nine years</h1>"
SITE = '<meta property="og:site_name" content="Harbour Gazette">'


@pytest.mark.parametrize(
    ("head", "body", "authors", "source"),
    [
        pytest.param(
            ld('{"@type": "Article", "author": [{"@type": "Person", "name": "Jo Marsh"}, {"name": "Ada Lind"}]}'),
            '<a rel="author">Somebody Else</a>',
            ("Jo Marsh", "Ada Lind"),
            Source.JSON_LD,
            id="json-ld persons",
        ),
        pytest.param(
            ld(
                '{"@graph": [{"@type": "Article", "author": {"@id": "#jo"}},'
                ' {"@type": "Person", "@id": "#jo", "name": "Jo Marsh"}]}'
            ),
            "",
            ("Jo Marsh",),
            Source.JSON_LD,
            id="json-ld by reference",
        ),
        pytest.param(
            ld('{"@type": "Article", "author": "Jo Marsh and Ada Lind"}'),
            "",
            ("Jo Marsh", "Ada Lind"),
            Source.JSON_LD,
            id="json-ld string",
        ),
        pytest.param(
            '<meta name="twitter:label1" content="Verfasst von"><meta name="twitter:data1" content="Jo Marsh">'
            '<meta name="author" content="Webmaster Wessel">',
            "",
            ("Jo Marsh",),
            Source.META,
            id="written by, in the page's language",
        ),
        pytest.param('<meta name="author" content="Jo Marsh">', "", ("Jo Marsh",), Source.META, id="meta"),
        pytest.param('<meta name="author" value="Jo Marsh">', "", ("Jo Marsh",), Source.META, id="meta with a slip"),
        pytest.param(
            '<meta property="og:site_name" content="Luxury Travel Expert">'
            + ld('{"@type": "Article", "author": {"@type": "Person", "name": "Luxury Travel Expert"}}'),
            H1,
            ("Luxury Travel Expert",),
            Source.JSON_LD,
            id="a site's name is whole, whatever its words mean",
        ),
        pytest.param(
            '<meta name="citation_author" content="Marsh, Jo"><meta name="citation_author" content="Lind, Ada">',
            "",
            ("Jo Marsh", "Ada Lind"),
            Source.META,
            id="citation",
        ),
        pytest.param(
            "",
            H1 + '<div itemprop="author"><b itemprop="name">Jo Marsh</b><i>Reporter</i></div>',
            ("Jo Marsh",),
            Source.MARKUP,
            id="itemprop",
        ),
        pytest.param("", H1 + '<a rel="author" href="/x">Jo Marsh</a>', ("Jo Marsh",), Source.MARKUP, id="rel"),
        pytest.param("", H1 + '<a href="/authors/jo-marsh">Jo Marsh</a>', ("Jo Marsh",), Source.MARKUP, id="link"),
        pytest.param("", H1 + "<p>By <b>Jo Marsh</b></p>", ("Jo Marsh",), Source.MARKUP, id="by"),
        pytest.param("", H1 + '<div class="byline">Jo Marsh</div>', ("Jo Marsh",), Source.MARKUP, id="class"),
        pytest.param(
            "",
            H1 + '<a href="/author/jo">Jo Marsh</a>, <a href="/author/ada">Ada Lind</a>',
            ("Jo Marsh", "Ada Lind"),
            Source.MARKUP,
            id="one link each",
        ),
        pytest.param(
            '<meta name="author" content="Harbour Gazette">' + SITE,
            H1 + '<p class="byline">Jo Marsh</p>',
            ("Jo Marsh",),
            Source.MARKUP,
            id="a person before the publisher",
        ),
        pytest.param(
            ld('{"@type": "Article", "author": {"@type": "Organization", "name": "Harbour Gazette"}}') + SITE,
            H1,
            ("Harbour Gazette",),
            Source.JSON_LD,
            id="the publisher where there is no person",
        ),
        pytest.param(
            '<meta name="author" content="Web Wizard">',
            H1 + '<p class="byline">By <a rel="author" href="/author/jo">Jo Marsh</a></p>',
            ("Jo Marsh",),
            Source.MARKUP,
            id="agreement of sources before a single one",
        ),
    ],
)
def test_authors(head: str, body: str, authors: tuple[str, ...], source: Source) -> None:
    best = find_authors(page(head, body))[0]
    assert (best.value, best.source) == (authors, source)


@pytest.mark.parametrize(
    "body",
    [
        '<div id="comments"><span class="comment-author">Troll One</span></div>',
        '<footer class="site-footer"><p>By Web Makers</p></footer>',
        "<p>By clicking you agree.</p>",
        '<a href="/author/login">Login</a>',
        "<p>Words.</p>",
    ],
)
def test_pages_without_authors(body: str) -> None:
    assert find_authors(page("", H1 + body)) == []


def test_social_accounts_are_no_authors() -> None:
    head = (
        '<meta name="twitter:creator" content="@gazette"><meta property="article:author" content="https://f.example/x">'
    )
    assert find_authors(page(head, H1)) == []


def test_a_frame_called_after_its_sidebar_is_not_aside() -> None:
    body = f'<div class="with-sidebar">{H1}<p class="byline">Jo Marsh</p></div>'
    assert find_authors(page("", body))[0].value == ("Jo Marsh",)


@pytest.mark.parametrize(
    "frame",
    [
        '<div class="elementor-element elementor-widget"><p class="byline">Jo Marsh</p></div>',
        '<div class="node node-promoted"><p class="byline">Jo Marsh</p></div>',
    ],
)
def test_the_parts_of_a_page_builder_are_not_aside(frame: str) -> None:
    assert find_authors(page("", f"{H1}{frame}"))[0].value == ("Jo Marsh",)


def test_what_holds_the_page_s_title_is_not_aside() -> None:
    post = '<h3>Ferry returns after nine years</h3><p class="byline">By Jo Marsh</p>'
    body = f'<h1>Harbour Blog</h1><div class="widget" id="main-widget">{post}</div>'
    head = '<meta property="og:title" content="Ferry returns after nine years">'
    assert find_authors(page(head, body))[0].value == ("Jo Marsh",)


def test_an_author_declared_aside_counts_where_a_commenter_does_not() -> None:
    aside = '<aside><a rel="author" href="/profile/jo-marsh">Jo Marsh</a></aside>'
    comment = '<div id="comments"><span class="comment-author author">Troll One</span></div>'
    assert find_authors(page("", H1 + aside + comment))[0].value == ("Jo Marsh",)
    assert find_authors(page("", H1 + comment)) == []


@pytest.mark.parametrize(
    "href", ["/about/editors/jo-marsh/", "/profil/jo-marsh", "/search?searchphrase=author&q=jo", "/?author_id=7"]
)
def test_links_to_an_author_s_page(href: str) -> None:
    assert find_authors(page("", f'{H1}<span><a href="{href}">Jo Marsh</a></span>'))[0].value == ("Jo Marsh",)


def test_a_moment_or_a_word_alone_is_no_name() -> None:
    body = f'{H1}<i class="author" content="2021-11-04T02:00:00+01:00">x</i><p class="byline">Von</p>'
    assert find_authors(page("", body)) == []


def test_names_that_share_a_byline() -> None:
    together = Mention(MentionKind.BY, ("Jo Marsh", "Ada Lind", "Max Roe"), Source.MARKUP)
    chances = {"Jo Marsh": 0.5, "Ada Lind": 0.21, "Max Roe": 0.19}
    found = [ScoredCandidate(AuthorCandidate(key_of(name), name, [together]), one) for name, one in chances.items()]
    assert [one.candidate.name for one in choose_authors(found, frozenset())] == ["Jo Marsh", "Ada Lind"]


@pytest.mark.parametrize("name", ["schema:author", "dc:creator", "author"])
def test_rdfa_names_the_author(name: str) -> None:
    assert find_authors(page("", f'{H1}<span property="{name}">Jo Marsh</span>'))[0].value == ("Jo Marsh",)


def test_the_subject_of_a_page_is_not_its_author() -> None:
    body = '<h1>Jo Marsh</h1><p class="author">Jo Marsh</p><a rel="author" href="/a/jo-marsh">Jo Marsh</a>'
    assert find_authors(page("", body)) != []
    assert find_authors(page("", body), "Jo Marsh") == []


def scored(name: str, probability: float, kind: MentionKind = MentionKind.CLASS) -> ScoredCandidate:
    return ScoredCandidate(AuthorCandidate(key_of(name), name, [Mention(kind, (name,), Source.MARKUP)]), probability)


@pytest.mark.parametrize(
    ("candidates", "chosen"),
    [
        ([scored("Jo Marsh", 0.9), scored("Ada Lind", 0.41), scored("Max Roe", 0.39)], ["Jo Marsh", "Ada Lind"]),
        ([scored("Jo Marsh", 0.21), scored("Ada Lind", 0.2)], ["Jo Marsh"]),
        ([scored("Jo Marsh", 0.19)], []),
        ([scored("Gazette", 0.9), scored("Jo Marsh", 0.31)], ["Jo Marsh"]),
        ([scored("Gazette", 0.9), scored("Jo Marsh", 0.29)], ["Gazette"]),
        ([scored("Gazette", 0.9), scored("Jo Marsh", 0.16, MentionKind.BY)], ["Jo Marsh"]),
        ([scored("Gazette", 0.9), scored("Jo Marsh", 0.14, MentionKind.BY)], ["Gazette"]),
        ([scored("Jo Marsh", 0.16, MentionKind.BY)], []),
        ([scored("jmarsh2", 0.9, MentionKind.LD_PERSON), scored("Jo Marsh", 0.41)], ["Jo Marsh"]),
        ([scored("jmarsh2", 0.9, MentionKind.LD_PERSON), scored("Jo Marsh", 0.39)], ["jmarsh2"]),
        ([scored("Ferry Friends", 0.06, MentionKind.LD_ORGANISATION), scored("Jo Marsh", 0.29)], ["Ferry Friends"]),
        ([scored("Ferry Friends", 0.06, MentionKind.LD_ORGANISATION), scored("Jo Marsh", 0.31)], ["Jo Marsh"]),
        ([scored("Jo Marsh", 0.06, MentionKind.LD_PERSON), scored("Ada Lind", 0.9)], ["Jo Marsh"]),
        ([scored("Jo Marsh", 0.04, MentionKind.LD_PERSON), scored("Ada Lind", 0.9)], ["Ada Lind"]),
    ],
)
def test_choice_of_authors(candidates: list[ScoredCandidate], chosen: list[str]) -> None:
    assert [one.candidate.name for one in choose_authors(candidates, frozenset({"gazette"}))] == chosen


def test_a_word_of_a_sentence_is_no_author() -> None:
    body = H1 + "<p>By clicking here you agree.</p><p>by industry</p><p>作者：</p>"
    assert find_authors(page("", body)) == []
