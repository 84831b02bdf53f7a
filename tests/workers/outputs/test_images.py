import re

import pytest

from contract.options import Format, Options, Part
from tests.workers.outputs.pages import blocks_of, markdown
from workers.outputs.forms import write_forms

FORMS = Options(formats=(Format.MARKDOWN,), include=tuple(Part))
PAGE = (
    "<main><div><img src='https://a.example/above.png'></div>"
    "<div><section><p>One.</p></section><div><img src='https://a.example/between.png'></div></div>"
    "<div><section><p>Two.</p></section></div></main><div><img src='https://a.example/below.png'></div>"
)
ROWS = "".join(f"<tr><td><p>{n}a</p></td><td><p>{n}b</p></td></tr>" for n in range(20))


def test_the_same_images_each_time() -> None:
    written = {write_forms("One.", blocks_of(PAGE), None, FORMS)[Format.MARKDOWN] for _ in range(200)}
    assert len(written) == 1
    assert "between.png" in written.pop()


def test_the_same_cells_each_time() -> None:
    written = {write_forms("1", blocks_of(f"<table>{ROWS}</table>"), None, FORMS)[Format.MARKDOWN] for _ in range(50)}
    assert len(written) == 1
    assert all(f"| {n}a | {n}b |" in min(written) for n in range(20))


PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACw="


def urls(markup: str) -> list[str]:
    """Returns the URLs of the images between two paragraphs."""
    written = markdown(f"<p>One.</p><figure>{markup}</figure><p>Two.</p>", base="https://a.example/news/")
    return re.findall(r"!\[[^\]]*\]\(([^)]*)\)", written)


@pytest.mark.parametrize(
    ("markup", "found"),
    [
        pytest.param(
            "<img src=/s.jpg srcset='https://c.example/w_4,h_3/a.jpg 400w, https://c.example/w_9,h_6/a.jpg 900w'>",
            "https://c.example/w_9,h_6/a.jpg",
            id="commas in URLs",
        ),
        pytest.param(
            "<img src=/s.jpg srcset='/a.jpg, /a2.jpg 2x,/a3.jpg 3x'>", "https://a.example/a3.jpg", id="density"
        ),
        pytest.param("<img srcset='/a.jpg 100w,/b.jpg 900w,/c.jpg 50w'>", "https://a.example/b.jpg", id="width"),
        pytest.param("<img srcset=', ,,' src=/s.jpg>", "https://a.example/s.jpg", id="a set of commas"),
        pytest.param(
            f"<img src='{PIXEL}' data-srcset='/a.jpg 1x, /b.jpg 2x'>", "https://a.example/b.jpg", id="lazy set"
        ),
        pytest.param("<img src=/img/placeholder.png data-src=/a.jpg>", "https://a.example/a.jpg", id="lazy"),
        pytest.param("<img src=/a.jpg data-src=/img/1x1.gif>", "https://a.example/a.jpg", id="a placeholder last"),
        pytest.param("<img data-src='/{width}/a.jpg' src=/300/a.jpg>", "https://a.example/300/a.jpg", id="a template"),
        pytest.param(
            f"<picture><source srcset='/w.webp 800w'><source srcset='/w.jpg 400w'><img src='{PIXEL}'></picture>",
            "https://a.example/w.webp",
            id="picture",
        ),
        pytest.param(
            f"<picture><source data-srcset='/w.webp 800w'><img class=lazy src='{PIXEL}'></picture>",
            "https://a.example/w.webp",
            id="lazy picture",
        ),
        pytest.param(
            f"<div><img class=lazy src='{PIXEL}'><noscript><img src=/a.jpg></noscript></div>",
            "https://a.example/a.jpg",
            id="noscript",
        ),
        pytest.param(
            "<div><img data-src=/big.jpg><noscript><img src=/a.jpg></noscript></div>",
            "https://a.example/big.jpg",
            id="noscript that repeats",
        ),
        pytest.param(
            "<amp-img src=/a.jpg width=800 height=533><noscript><img src=/b.jpg></noscript></amp-img>",
            "https://a.example/a.jpg",
            id="AMP",
        ),
    ],
)
def test_the_best_of_what_a_page_offers(markup: str, found: str) -> None:
    assert urls(markup) == [found]


@pytest.mark.parametrize(
    "markup",
    [
        f"<img src='{PIXEL}'>",
        "<img src=/img/spacer.gif>",
        "<img src=/assets/blank.png?v=2>",
        "<img src=/lazy_placeholder.gif>",
        "<img src='https://www.facebook.com/tr?id=1&ev=PageView'>",
        "<img src='https://sb.scorecardresearch.com/p?c1=2'>",
        "<img src=https://pixel.example/b.png>",
        "<img src=/x.jpg style='width:1px;height:1px'>",
        "<img src=/x.jpg style='display:none'>",
        "<img src=/x.jpg hidden>",
        "<img src=/x.jpg width=0 height=0>",
        "<img class=emoji alt=😀 src=/x.svg>",
        "<img class=mwe-math-fallback-image-inline alt=x src=/x.svg>",
    ],
)
def test_elements_that_are_no_pictures(markup: str) -> None:
    assert urls(markup) == []


def test_images_keep_their_places() -> None:
    page = (
        "<ol><li>One <img src=https://a.example/1.jpg alt=x></li><li>Two</li></ol><table><tr><th>A</th><th>B</th></tr>"
        "<tr><td>1</td><td><img src=https://a.example/2.jpg alt=y> 2</td></tr></table><p>Three.</p>"
    )
    assert markdown(page) == (
        "1. One\\\n   ![x](https://a.example/1.jpg)\n2. Two\n\n"
        "| A | B |\n| --- | --- |\n| 1 | 2 ![y](https://a.example/2.jpg) |\n\nThree.\n"
    )
