"""The parts of typical pages that belong to an article's text, and those that do not."""

import pytest

from contract.options import Focus, Options
from contract.reasons import Reason
from workers.extract.block_features import BLOCK_FEATURES
from workers.extract.html_reader import read_html
from workers.failures import Failed
from workers.models.boosted_trees import load_model

TITLE = "Old bridge over the Lind to be renewed"
STANDFIRST = "The council has found the money at last, and the ferry will have to go: what to expect this year."
BODY = [
    "The council decided on Tuesday, after a debate of four hours, to renew the old bridge over the river this year.",
    "Work will begin in autumn, said the mayor on Wednesday, and it is to take no more than two years.",
    "Until then the ferry carries on, as it has since the flood; its owner expects to be out of work in spring.",
    "“Nobody has asked us,” he said, with a look at the pier, where forty people were waiting in the rain.",
    "The engineers see it more calmly: the piers are sound, they say, and only the deck and railing need replacing.",
    "Costs are put at twelve million, of which the state pays two thirds, and the rest comes out of reserves.",
]
NAVIGATION = "".join(f'<li><a href="/{name.lower()}">{name}</a></li>' for name in ("Home", "News", "Sport", "Culture"))
PAGE = """<!doctype html><html lang="en"><head><title>{title} | Lind Courier</title>
<meta property="og:type" content="article"><meta name="description" content="{standfirst}"></head><body>
<div id="cookie-banner" class="cookie-consent"><p>We use cookies to improve your experience.</p>
<button>Accept all</button></div>
<header class="site-header"><nav class="main-nav"><ul>{navigation}</ul></nav></header>
<main><article class="article"><h1 class="headline">{title}</h1><p class="standfirst">{standfirst}</p>
<div class="byline">By <a href="/author/jo-marsh">Jo Marsh</a> <time>5 March 2024</time></div>
<div class="article-body">{body}</div></article>
<aside class="newsletter"><h3>Newsletter</h3><p>Sign up for our morning newsletter, and never miss a story.</p>
<form><input name="email"><button>Subscribe</button></form></aside>
<section class="related"><h2>Related articles</h2><ul>
<li><a href="/a">Ferry owner sues the town over lost trade</a></li>
<li><a href="/b">Flood of 1953 remembered along the river</a></li><li><a href="/c">New pier</a></li></ul></section>
</main><footer class="site-footer"><p>© 2024 Lind Courier. All rights reserved.</p>
<ul>{navigation}</ul></footer></body></html>"""


def paragraphs(*texts: str) -> str:
    return "".join(f"<p>{text}</p>" for text in texts)


def text_of(body: str, focus: Focus = Focus.BALANCED) -> str:
    page = PAGE.format(title=TITLE, standfirst=STANDFIRST, navigation=NAVIGATION, body=body)
    return read_html(page, "https://lind-courier.example/news/bridge", Options(focus=focus)).text


def test_the_standfirst_and_all_paragraphs_and_nothing_else() -> None:
    assert text_of(paragraphs(*BODY)).split("\n\n") == [STANDFIRST, *BODY]


@pytest.mark.parametrize("focus", list(Focus))
def test_whatever_the_focus_paragraphs_are_text_and_navigation_is_not(focus: Focus) -> None:
    text = text_of(paragraphs(*BODY), focus)
    assert all(paragraph in text for paragraph in BODY)
    assert "Culture" not in text


@pytest.mark.parametrize(
    ("within", "kept"),
    [
        pytest.param("<h2>What it costs</h2>", "What it costs", id="sub-heading"),
        pytest.param(
            f"<blockquote><p>{BODY[3].replace('he said', 'the ferryman said')}</p></blockquote>",
            BODY[3].replace("he said", "the ferryman said"),
            id="quote",
        ),
        pytest.param(
            "<p>Three things remain open:</p><ul><li>who pays for the railing of the bridge,</li>"
            "<li>where the ferry lands meanwhile,</li><li>what becomes of it.</li></ul>",
            "- who pays for the railing of the bridge,\n- where the ferry lands meanwhile,\n- what becomes of it.",
            id="list",
        ),
        pytest.param(
            "<p>The mayor spoke first.<br><br>Then the engineers, who had brought a model of the new deck with them, "
            "took the floor for an hour.</p>",
            "The mayor spoke first.\n\nThen the engineers, who had brought",
            id="paragraphs between line breaks",
        ),
        pytest.param(
            "<div>It is the third attempt: the first failed for want of money, the second for want of steel.</div>",
            "It is the third attempt: the first failed for want of money, the second for want of steel.",
            id="text in a div",
        ),
    ],
)
def test_parts_that_belong_to_the_text(within: str, kept: str) -> None:
    text = text_of(paragraphs(*BODY[:3]) + within + paragraphs(*BODY[3:]))
    assert kept in text
    assert [text.count(paragraph) for paragraph in BODY] == [1] * len(BODY)


@pytest.mark.parametrize(
    ("within", "dropped"),
    [
        pytest.param(
            "<figure><img src='b.jpg'><figcaption>The bridge in winter. Photo: Lind Courier</figcaption></figure>",
            "in winter",
            id="caption",
        ),
        pytest.param("<sup><a href='#n1'>[1]</a></sup>", "[1]", id="footnote mark"),
        pytest.param(
            '<div class="related-box"><a href="/x">Read more: Ferry owner sues the town</a></div>', "sues", id="box"
        ),
        pytest.param('<div class="ad-slot">Advertisement</div>', "Advertisement", id="advertisement"),
        pytest.param('<div class="share"><a href="#">Share</a> <a href="#">Tweet</a></div>', "Tweet", id="share"),
        pytest.param('<table class="infobox"><tr><th>Length</th><td>310 m</td></tr></table>', "310 m", id="infobox"),
    ],
)
def test_parts_that_do_not_belong_to_the_text(within: str, dropped: str) -> None:
    text = text_of(paragraphs(*BODY[:3]) + within + paragraphs(*BODY[3:]))
    assert dropped not in text
    assert [text.count(paragraph) for paragraph in BODY] == [1] * len(BODY)


def test_nothing_is_doubled_where_the_page_repeats_it() -> None:
    text = text_of(paragraphs(*BODY) + f"<div class='print'>{paragraphs(*BODY)}</div>")
    assert [text.count(paragraph) for paragraph in BODY] == [1] * len(BODY)


def test_the_text_of_a_page_that_needs_scripts_is_found_in_noscript() -> None:
    page = f"<html><body><div id='app'></div><noscript>{paragraphs(*BODY)}</noscript></body></html>"
    assert read_html(page, None).text.split("\n\n") == BODY


def test_the_weights_are_for_these_features() -> None:
    assert load_model("page_blocks").names == BLOCK_FEATURES


@pytest.mark.parametrize("attribute", ["hidden", 'style="display: none"', 'style="color:red;visibility:hidden"'])
def test_hidden_elements_are_not_text(attribute: str) -> None:
    text = text_of(f"{paragraphs(*BODY[:3])}<div {attribute}>{paragraphs(BODY[3])}</div>{paragraphs(*BODY[4:])}")

    assert text.split("\n\n") == [STANDFIRST, *BODY[:3], *BODY[4:]]


@pytest.mark.parametrize("attribute", ['id="onetrust-consent-sdk"', 'class="open cky-consent-container"'])
def test_text_of_a_consent_manager_is_not_text(attribute: str) -> None:
    text = text_of(
        f"{paragraphs(*BODY[:3])}<div {attribute}><div>{paragraphs(BODY[3])}</div></div>{paragraphs(*BODY[4:])}"
    )

    assert text.split("\n\n") == [STANDFIRST, *BODY[:3], *BODY[4:]]


def test_a_text_that_waits_for_a_script_to_show_it_is_text() -> None:
    text = text_of(f'<div style="display:none">{paragraphs(*BODY)}</div>')

    assert all(paragraph in text for paragraph in BODY)


def test_formulas_are_text() -> None:
    formula = (
        "<math><semantics><mrow><mi>x</mi><mo>=</mo><mn>2</mn></mrow><annotation>x=2</annotation></semantics></math>"
    )

    assert "As the engineers put it, x=2 for the whole of it" in text_of(
        paragraphs(*BODY, f"As the engineers put it, {formula} for the whole of it, and for as long as the river runs.")
    )


def test_a_page_of_a_few_words_is_its_own_text() -> None:
    assert read_html("<title>Note</title><h1>Note</h1><h2>Hello</h2><h2>you</h2>", None).text == "Hello\n\nyou"


def test_a_page_that_waits_for_a_script_has_no_text() -> None:
    with pytest.raises(Failed) as failed:
        read_html("<title>Courier</title><h2>Loading</h2><script src=app.js></script>", None)
    assert failed.value.reason is Reason.NO_ARTICLE
