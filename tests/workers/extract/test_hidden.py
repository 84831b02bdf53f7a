"""Hidden text: kept if it is part of the article, otherwise left out with a flag."""

import pytest

from contract.article import Article, Flag
from contract.options import Focus
from tests.workers.extract.whole import AFTER, BEFORE, extracted, forms_of, paragraphs
from workers.page import segment

STONES = "The quarry above the village gave the stones, and each of them took two men a whole winter to dress."
CLOSED = "It was closed in 1931, after the last of the stone cutters had moved to the town for the work in its factory."


def is_in(article: Article, *texts: str) -> bool:
    return all(text in article.text for text in texts)


TWO = f"<p>{STONES}</p><p>{CLOSED}</p>"
PANELS = {
    "a section found by who looks for it": f"<h2>Stones</h2><div hidden=until-found>{TWO}</div>",
    "what follows 'Read more'": f"<p><a href='#'>Read more</a></p><section style='display:none'>{TWO}</section>",
    "what follows 'Weiterlesen'": f"<button>Weiterlesen …</button><div hidden>{TWO}</div>",
    "the second of two tabs": f"<div role=tabpanel>{STONES}</div><div role=tabpanel hidden><p>{CLOSED}</p></div>",
    "an accordion": f"<h3><button aria-expanded=false>Stones</button></h3><div role=region hidden><p>{STONES}</p></div>"
    f"<h3><button>The end</button></h3><div role=region hidden><p>{CLOSED}</p></div>",
    "a panel of Bootstrap": f"<h3>Stones</h3><div class='panel-collapse' style='display:none'>{TWO}</div>",
    "a controlled section": f"<h2 aria-controls=s>Stones</h2><section id=s hidden>{TWO}</section>",
    "the rest of a paragraph": f"<p>{STONES}<span>...</span> <span id=more style='display:none'>{CLOSED}</span></p>",
}


@pytest.mark.parametrize("panel", PANELS.values(), ids=PANELS)
def test_panels_are_text(panel: str) -> None:
    forms = forms_of(panel)
    assert is_in(forms.article, STONES, CLOSED)
    assert Flag.HIDDEN_TEXT not in forms.article.quality.flags
    assert "ead more" not in forms.text
    assert "Weiterlesen" not in forms.text


@pytest.mark.parametrize("panel", [PANELS["the second of two tabs"], PANELS["what follows 'Read more'"]])
def test_precision_leaves_panels_out_with_a_flag(panel: str) -> None:
    article = forms_of(panel, focus=Focus.PRECISION).article
    assert CLOSED not in article.text
    assert Flag.HIDDEN_TEXT in article.quality.flags


HIDDEN = {
    "by an attribute": f"<div hidden><p>{STONES}</p><p>{CLOSED}</p></div>",
    "by a style": f"<div style='color:red; display : none'><p>{STONES}</p><p>{CLOSED}</p></div>",
    "by a class": f"<div class=zq17><p>{STONES}</p><p>{CLOSED}</p></div>",
}


@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN)
def test_hidden_text_is_left_out_with_a_flag(hidden: str) -> None:
    head = "<style>.zq17 { display: none }</style>"
    article, without = forms_of(hidden, head=head).article, forms_of("", head=head).article
    assert not is_in(article, STONES)
    assert Flag.HIDDEN_TEXT in article.quality.flags
    assert article.quality.confidence is not None
    assert without.quality.confidence is not None
    assert article.quality.confidence < without.quality.confidence
    assert Flag.HIDDEN_TEXT not in without.quality.flags


def test_hidden_text_is_kept_if_it_is_half_of_the_text() -> None:
    most = f"<div hidden>{paragraphs(*BEFORE, *AFTER[:2])}</div>{paragraphs(AFTER[2])}"
    article = extracted(f"<title>Mill sold</title><article><h1>Mill sold</h1><p>{STONES}</p>{most}</article>")
    assert is_in(article, STONES, *BEFORE, *AFTER)
    assert Flag.HIDDEN_TEXT not in article.quality.flags


def test_a_hidden_consent_dialog_sets_no_flag() -> None:
    dialog = f"<div id=onetrust-consent-sdk style='display:none'><p>{STONES}</p><p>{CLOSED}</p></div>"
    article = forms_of(dialog).article
    assert not is_in(article, STONES)
    assert Flag.HIDDEN_TEXT not in article.quality.flags


def test_recall_keeps_all_hidden_text() -> None:
    article = forms_of(HIDDEN["by an attribute"], focus=Focus.RECALL).article
    assert is_in(article, STONES, CLOSED)
    assert Flag.HIDDEN_TEXT not in article.quality.flags


def test_hidden_text_within_a_line_sets_the_flag() -> None:
    article = forms_of(f"<p>{STONES}<span hidden> {CLOSED}</span></p>").article
    assert is_in(article, STONES)
    assert not is_in(article, CLOSED)
    assert Flag.HIDDEN_TEXT in article.quality.flags


def test_hidden_text_that_is_shown_elsewhere_sets_no_flag() -> None:
    article = forms_of(f"<p>{STONES}</p><div hidden><p>{STONES}</p></div>").article
    assert article.text.count(STONES) == 1
    assert Flag.HIDDEN_TEXT not in article.quality.flags


@pytest.mark.parametrize("names", ["modal overlay", "cookie-consent collapse", "nav-menu collapse", "newsletter-panel"])
def test_panels_of_menus_and_the_like_are_not_text(names: str) -> None:
    article = forms_of(f"<div class='{names}' style='display:none'><p>{STONES}</p></div>").article
    assert STONES not in article.text


@pytest.mark.parametrize("sheet", [".zq17{display:none}.zq17.open{display:block}", "@media print{.zq17{display:none}}"])
def test_a_class_that_is_shown_at_times_is_not_hidden(sheet: str) -> None:
    article = forms_of(HIDDEN["by a class"], head=f"<style>{sheet}</style>").article
    assert is_in(article, STONES, CLOSED)


ARTICLE = f"<article><h1>Mill sold</h1>{paragraphs(*BEFORE, *AFTER)}</article>"


@pytest.mark.parametrize(
    "body",
    [
        f"<body style='visibility:hidden'><nav><a href=/>Home</a></nav>{ARTICLE}</body>",
        f"<body><nav><a href=/>Home</a></nav><div id=app hidden>{ARTICLE}</div></body>",
        f"<body><nav><a href=/>Home</a></nav><x-app class=zq17>{ARTICLE}</x-app></body>",
        f"<body><x-app><template shadowrootmode=open><style>p{{}}</style>{ARTICLE}</template></x-app></body>",
        f"<body><x-app><template shadowrootmode=open><main><slot></slot></main></template>{ARTICLE}</x-app></body>",
    ],
)
def test_an_article_that_waits_for_a_script_is_read(body: str) -> None:
    article = extracted(f"<title>Mill sold</title><style>.zq17{{visibility:hidden}}</style>{body}")
    assert article.text.split("\n\n") == [*BEFORE, *AFTER]
    assert article.quality.flags == ()


@pytest.mark.parametrize("count", [300, 5000])
@pytest.mark.parametrize("tag", ["span", "div", "b"])
def test_depth_costs_no_text(tag: str, count: int) -> None:
    deep = f"<div class=hero>{f'<{tag}>' * count}Market day{f'</{tag}>' * count}</div>"
    article = extracted(f"<title>Mill sold</title><body>{deep}<main>{ARTICLE}</main></body>")
    assert is_in(article, *BEFORE, *AFTER)
    within = f"{paragraphs(*BEFORE)}{f'<{tag}>' * count}{paragraphs(*AFTER)}{f'</{tag}>' * count}"
    assert is_in(extracted(f"<title>Mill sold</title><article><h1>Mill sold</h1>{within}</article>"), *BEFORE, *AFTER)


def test_a_page_with_too_many_blocks_is_flagged(monkeypatch: pytest.MonkeyPatch) -> None:
    page = f"<title>Mill sold</title><article>{paragraphs(*BEFORE, *AFTER)}</article>"
    monkeypatch.setattr(segment, "MAX_BLOCKS", 3)
    article = extracted(page)
    assert not is_in(article, AFTER[-1])
    assert Flag.TRUNCATED in article.quality.flags
    assert article.quality.confidence is not None
    assert article.quality.confidence <= 0.5
    monkeypatch.undo()
    assert Flag.TRUNCATED not in extracted(page).quality.flags
