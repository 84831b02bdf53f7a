from hypothesis import given, settings
from hypothesis import strategies as st

from contract.article import Article, Removed, Source
from contract.codec import encode
from contract.job import CallerMetadata, Job, Kind, Lane
from workers.document import Sourced
from workers.draft import Draft
from workers.normalise.article import normalise

URL = "https://www.example.org/news/bridge?utm_source=mail"
TEXT = "The council decided on Tuesday to renew the old bridge.\n\nWork will begin in autumn, the mayor said."


def job(**metadata: object) -> Job:
    caller = CallerMetadata(**metadata)  # type: ignore[arg-type] # the tests' own short hand
    return Job(
        id="0197-x",
        kind=Kind.URL,
        lane=Lane.BULK,
        accepted_at="2026-01-31T08:15:00Z",
        url=URL,
        metadata=caller,
        labels={"feed": "local"},
    )


PAGE = Draft(
    text=TEXT,
    title=Sourced("Council &amp; mayor:\n a  new bridge", Source.JSON_LD),
    authors=Sourced((" Ana  Lima", "ana lima", "Bo Ek", ""), Source.MARKUP),
    published=Sourced("09/10/2024", Source.META),
    modified=Sourced("last week", Source.META),
    language=Sourced("en_GB", Source.MARKUP),
    site_name=Sourced("The Example", Source.OPENGRAPH),
    canonical_url=Sourced("/news/bridge#top", Source.META),
    image=Sourced("/img/bridge.jpg", Source.OPENGRAPH),
    tags=Sourced(("Bridges", "bridges", "Council"), Source.META),
    candidates={"title": ("A new bridge - The Example", "Council & mayor: a new bridge")},
)


def test_metadata_of_the_page() -> None:
    article = normalise(PAGE, job(), URL)

    assert article.title == "Council & mayor: a new bridge"
    assert article.authors == ("Ana Lima", "Bo Ek")
    assert article.published == "2024-10-09"  # the British order of day and month
    assert article.modified is None
    assert article.language == "en"
    assert article.canonical_url == "https://www.example.org/news/bridge"
    assert article.host == "www.example.org"
    assert article.image == "https://www.example.org/img/bridge.jpg"
    assert article.tags == ("Bridges", "Council")
    assert (article.id, article.kind, article.url, article.labels) == ("0197-x", Kind.URL, URL, {"feed": "local"})


def test_every_field_with_a_value_has_its_source() -> None:
    article = normalise(PAGE, job(), URL)

    assert article.field_sources == {
        "title": Source.JSON_LD,
        "authors": Source.MARKUP,
        "published": Source.META,
        "language": Source.MARKUP,
        "site_name": Source.OPENGRAPH,
        "canonical_url": Source.META,
        "image": Source.OPENGRAPH,
        "tags": Source.META,
    }


def test_values_that_were_not_chosen_are_candidates() -> None:
    article = normalise(PAGE, job(), URL)

    assert article.provenance.candidates == {"title": ("A new bridge - The Example",), "language": ("en-GB",)}


def test_the_caller_wins_and_the_page_comes_first_among_the_candidates() -> None:
    with_metadata = job(
        title="Bridge  to be renewed", authors=("Cy Dee",), published="2024-10-08", site_name="Local", language="en"
    )

    article = normalise(PAGE, with_metadata, URL)

    assert (article.title, article.authors) == ("Bridge to be renewed", ("Cy Dee",))
    assert (article.published, article.site_name) == ("2024-10-08", "Local")
    assert {name for name, source in article.field_sources.items() if source is Source.CALLER} == {
        *("title", "authors", "published", "site_name", "language"),
    }
    assert article.provenance.candidates == {
        "title": ("Council & mayor: a new bridge", "A new bridge - The Example"),
        "authors": ("Ana Lima, Bo Ek",),
        "published": ("2024-10-09",),
        "site_name": ("The Example",),
        "language": ("en-GB",),
    }


def test_a_caller_who_agrees_with_the_page_leaves_no_candidate() -> None:
    article = normalise(PAGE, job(site_name="The Example"), URL)

    assert article.field_sources["site_name"] is Source.CALLER
    assert "site_name" not in article.provenance.candidates


def test_without_a_declared_one_the_canonical_url_is_its_own() -> None:
    article = normalise(Draft(text=TEXT), job(), URL)

    assert article.canonical_url == "https://www.example.org/news/bridge"
    assert article.field_sources["canonical_url"] is Source.URL


def test_a_document_without_url_has_no_host() -> None:
    article = normalise(Draft(text=TEXT), job(), None)

    assert article.canonical_url is None
    assert article.host is None
    assert "canonical_url" not in article.field_sources


def test_the_figures_are_of_the_normalised_text() -> None:
    article = normalise(Draft(text=f"\n {TEXT}\u00a0\n\n\n"), job(), URL)

    assert article.text == TEXT
    assert article.char_count == len(TEXT)
    assert article.word_count == 18
    assert article.reading_time_s == 5
    assert article.excerpt.startswith("The council decided")
    assert article.provenance.language_confidence is not None
    assert normalise(Draft(text=TEXT), job(), URL).content_sha256 == article.content_sha256


def test_removed_pieces_are_cleaned() -> None:
    pieces = (Removed("Sha\x00re\u00a0 this", "share"), Removed(" \u200b", "blank"))

    article = normalise(Draft(text=TEXT, removed=pieces), job(), URL)

    assert article.removed == (Removed("Share this", "share"),)


FOUND = st.one_of(st.none(), st.builds(Sourced, st.text(), st.sampled_from(Source)))
FOUND_LISTS = st.one_of(st.none(), st.builds(Sourced, st.lists(st.text()).map(tuple), st.sampled_from(Source)))
DRAFTS = st.builds(
    Draft,
    text=st.text(),
    removed=st.lists(st.builds(Removed, st.text(), st.just("rule"))).map(tuple),
    candidates=st.dictionaries(st.sampled_from(["title", "authors", "published"]), st.lists(st.text()).map(tuple)),
    **dict.fromkeys(("title", "published", "modified", "language", "site_name", "canonical_url", "image"), FOUND),
    **dict.fromkeys(("authors", "categories", "tags"), FOUND_LISTS),
)


@settings(deadline=None)  # the first one loads the language model
@given(DRAFTS, st.one_of(st.none(), st.text()))
def test_any_draft_becomes_an_article_that_can_be_encoded(draft: Draft, url: str | None) -> None:
    article = normalise(draft, job(), url)

    assert isinstance(article, Article)
    assert encode(article)
    assert all(getattr(article, name) for name in article.field_sources)
