import math

import pytest

from contract.article import PageKind
from tests.workers.quality.pages import NAVIGATION, PROSE, article, index, page_of
from workers.page.declared import ADDRESS_FEATURES, address_features
from workers.quality.assessment import AssessedPage

POSTS = "".join(
    f"<div class='post message'><div class='author user'>reader{n}</div><time>{n} May 2024, 3:00 pm</time>"
    f"<div class='postbody'><p>{PROSE[n % 4]}</p></div><a>Quote</a> <a>Reply</a></div>"
    for n in range(12)
)
FORUM = page_of(
    f"{NAVIGATION}<h1>Which ferry?</h1><div class=thread>{POSTS}</div>",
    head='<title>Which ferry?</title><meta name=generator content="Discourse 3.2">',
    url="https://community.harbour.example/t/which-ferry/1234",
)
PRODUCT = page_of(
    f"{NAVIGATION}<div class=product><h1>Ferry model</h1><span class=price>$49.90</span><button>Add to cart</button>"
    "<p>A model of the old ferry, of wood and brass.</p><ul><li>Length 40 cm</li><li>Weight 2 kg</li></ul>"
    "<span class=price>$39.90</span><button>Add to cart</button><div class=reviews>4.8 of 5, 12 reviews</div></div>",
    head='<meta property="og:type" content="product"><script type="application/ld+json">{"@type": "Product", '
    '"offers": {"@type": "Offer"}}</script>',
    url="https://shop.harbour.example/products/ferry-model",
)
MANUAL = page_of(
    f"<nav class=toc><ul>{''.join(f'<li><a href=#{n}>Section {n}</a></li>' for n in range(9))}</ul></nav><main>"
    f"<h1>Ferry API reference</h1><p>{PROSE[0]}</p><h2>sail()</h2><pre>ferry.sail(speed=3)</pre><p>{PROSE[1]}</p>"
    f"<h2>moor()</h2><pre>ferry.moor()</pre><table><tr><td>speed</td><td>knots</td></tr></table><p>{PROSE[2]}</p></main>",
    head='<title>Ferry API</title><meta name=generator content="Sphinx">',
    url="https://docs.ferry.example/en/latest/api/reference.html",
)


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        (article(), PageKind.ARTICLE),
        (index(), PageKind.LISTING),
        (FORUM, PageKind.FORUM),
        (PRODUCT, PageKind.PRODUCT),
        (MANUAL, PageKind.DOCUMENTATION),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_typical_page_is_known(page: AssessedPage, kind: PageKind) -> None:
    assert page.kinds.likeliest is kind
    assert sum(page.kinds.shares.values()) == pytest.approx(1)


def test_a_page_without_text_has_a_kind() -> None:
    assert page_of("").kinds.likeliest in PageKind


def test_addresses() -> None:
    named = dict(zip(ADDRESS_FEATURES, address_features("https://docs.a.example/2024/05/a-b-c"), strict=True))
    assert (named["path_depth"], named["has_date"], named["last_hyphens"], named["host_documentation"]) == (3, 1, 2, 1)


@pytest.mark.parametrize("url", [None, "", "//[", "mailto:x"])
def test_without_an_address_its_features_are_missing(url: str | None) -> None:
    assert all(math.isnan(value) for value in address_features(url))
