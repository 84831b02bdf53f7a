import json

import pytest

from contract.reasons import Reason
from workers.extract.html_reader import read_html
from workers.failures import Failed

FIRST = "The ferry to the island sails again on Monday after nine years, the harbour office said, and takes forty cars."
SECOND = "Tickets cost four euros; the first boat leaves the old quay at six in the morning & the last one at midnight."


def shell(body: str, shown: str = "") -> str:
    data = json.dumps({"@type": "NewsArticle", "headline": "Ferry returns", "articleBody": body})
    return f"""<html><head><title>Ferry returns</title><script type="application/ld+json">{data}</script></head>
<body><div id="app">{shown}</div><script src="app.js"></script></body></html>"""


@pytest.mark.parametrize("body", [f"{FIRST}\n\n{SECOND}", f"<p>{FIRST}</p><p>{SECOND.replace('&', '&amp;')}</p>"])
def test_a_page_that_only_a_script_fills_has_the_text_of_its_data(body: str) -> None:
    draft = read_html(shell(body), None)

    assert draft.text == f"{FIRST}\n\n{SECOND}"
    assert draft.confidence is not None


def test_a_teaser_in_the_data_is_no_article() -> None:
    with pytest.raises(Failed) as failed:
        read_html(shell("The ferry sails again on Monday."), None)

    assert failed.value.reason is Reason.NO_ARTICLE


def test_visible_text_takes_precedence_over_json_ld() -> None:
    shown = f"<article><h1>Ferry returns</h1><p>{FIRST}</p><p>{SECOND.replace('&', 'and')}</p></article>"

    assert read_html(shell(f"{FIRST} {SECOND} And more.", shown), None).text.endswith("at midnight.")
