import pytest
from lxml.html import document_fromstring, fragment_fromstring, tostring

from workers.extract_prune import prune

PROSE = "The harbour town woke to the sound of a horn that nobody under forty had ever heard before. " * 12


def pruned(inner: str) -> str:
    tree = document_fromstring(f"<html><body><p>{PROSE}</p><main>{inner}</main></body></html>")
    prune(tree)
    [main] = tree.iter("main")
    return "".join(tostring(child, encoding="unicode") for child in main)


@pytest.mark.parametrize(
    "box",
    [
        pytest.param('<div class="article-ad"><span>広告</span></div>', id="advertisement"),
        pytest.param('<div class="publi robapaginas">Publicidad</div>', id="advertisement in Spanish"),
        pytest.param('<div class="adSlot">Advertisement</div>', id="words of camel case"),
        pytest.param('<section id="related"><h2>More</h2></section>', id="by its id"),
        pytest.param('<div class="noticias-relacionadas"><h4>Noticias</h4></div>', id="other articles"),
        pytest.param('<p class="box__lire-aussi">Lire aussi</p>', id="a name of two words"),
        pytest.param('<div class="boletin"><p>En tu correo</p></div>', id="newsletter"),
        pytest.param('<div class="noprint">From a wiki</div>', id="not for print"),
        pytest.param('<span class="mw-editsection">[<a href="/e">edit</a>]</span>', id="edit link"),
        pytest.param('<table class="infobox vcard"><tr><td>31 km</td></tr></table>', id="infobox"),
        pytest.param('<p class="c-artikel__dachzeile">Genossenschaft</p>', id="kicker"),
        pytest.param('<p class="kicker"><a href="/r">Region</a></p>', id="kicker that is a link"),
        pytest.param('<sup class="x"><a href="#n1">[1]</a></sup>', id="footnote mark"),
    ],
)
def test_what_is_no_part_of_the_article_goes(box: str) -> None:
    assert pruned(box) == ""


@pytest.mark.parametrize(
    "part",
    [
        pytest.param('<p class="adventure">Words.</p>', id="part of a word"),
        pytest.param('<p class="block-bb80ad AuAd26">Words.</p>', id="a hash"),
        pytest.param('<h2 id="related-deaths">Related deaths</h2>', id="the id of a heading"),
        pytest.param('<div class="kt-infobox">Words.</div>', id="a page builder's box"),
        pytest.param(f'<p class="kicker">{PROSE[:90]}</p>', id="a standfirst called a kicker"),
        pytest.param('<p class="kicker"></p>', id="an empty kicker"),
        pytest.param("<sup>2</sup>", id="a power"),
        pytest.param('<sup><a href="/terms">TM</a></sup>', id="a link to another page"),
        pytest.param('<sup><a href="#later">as told below</a></sup>', id="a link of several words"),
        pytest.param('<div class="newsletter"><h1>Title</h1></div>', id="with the title in it"),
        pytest.param(f'<div class="has ad"><p>{PROSE}</p></div>', id="with much of the page's prose"),
    ],
)
def test_what_may_be_the_article_stays(part: str) -> None:
    assert pruned(part) == tostring(fragment_fromstring(part), encoding="unicode")


def test_prose_in_links_is_no_reason_to_stay() -> None:
    assert pruned(f'<div class="related"><a href="/a">{PROSE}</a></div>') == ""


def test_the_text_after_an_element_stays() -> None:
    assert pruned('<p>One<sup><a href="#n">2</a></sup>, two<span class="ad">Ad</span>.</p>') == "<p>One, two.</p>"


def test_a_box_within_a_box_that_stays_goes_alone() -> None:
    assert pruned(f'<div class="ads"><p>{PROSE}</p><b class="ad">Ad</b></div>') == (
        f'<div class="ads"><p>{PROSE}</p></div>'
    )


def test_the_frame_of_the_page_stays() -> None:
    tree = document_fromstring('<html class="ad"><body class="newsletter"><main class="related"></main></body></html>')
    prune(tree)
    assert tree.find("body/main") is not None
