"""Code among prose keeps its lines and spaces, and is code in Markdown and HTML."""

import time

import pytest

from contract.article import Article
from contract.job import Job, Kind, Lane
from contract.options import Format, Options
from workers.document import RawDocument
from workers.pasted.code_among_prose import find_code
from workers.pasted.text_reader import read_text
from workers.pipeline import extract_article

ABOVE = "The harbour office counts the boats with a small script that the pilot's daughter wrote for it in a winter."
BELOW = "Before that, two people stood on the pier every morning and wrote the numbers into a book by hand."
CODE = "def total(rows):\n    result = 0\n    for boats in rows:\n        result += boats\n\n    return int(result)"
YAML = "harbour:\n  pier: 2\n  boats:\n    gull: 1974"
FENCED = {
    "backticks": "```\n{}\n```",
    "with a language": "```python\n{}\n```",
    "tildes": "~~~ py\n{}\n~~~",
    "longer": "````\n{}\n````",
}


def extracted(text: str) -> Article:
    options = Options(formats=(Format.MARKDOWN, Format.HTML))
    job = Job(id="1", kind=Kind.TEXT, lane=Lane.BULK, accepted_at="2026-01-01T00:00:00Z", options=options)
    return extract_article(RawDocument(job=job, content=text, is_html=False))


@pytest.mark.parametrize("fence", FENCED.values(), ids=FENCED)
@pytest.mark.parametrize("code", [CODE, YAML], ids=["code", "yaml"])
def test_fenced_code_keeps_its_spaces(fence: str, code: str) -> None:
    article = extracted(f"{ABOVE}\n\n{fence.format(code)}\n\n{BELOW}")
    assert article.text == f"{ABOVE}\n\n{code}\n\n{BELOW}"
    assert {removed.rule for removed in article.removed} == {"fence"}


@pytest.mark.parametrize(
    "text",
    [
        "# The count\n\n{above}\n\n## The script\n\n```python\n{code}\n```\n\n{below}",
        "<p>{above}</p>\n<pre><code>{code}</code></pre>\n<p>{below}</p>",
        "{above}\n\n{code}\n\n{below}",
        "{above}\n\n    {indented}\n\n{below}",
    ],
    ids=["Markdown", "HTML", "without fences", "indented"],
)
def test_code_stands_in_all_forms_as_written(text: str) -> None:
    indented = CODE.replace("\n", "\n    ")
    article = extracted(text.format(above=ABOVE, below=BELOW, code=CODE, indented=indented))
    assert f"{ABOVE}\n\n" in article.text
    assert f"\n\n{CODE}\n\n{BELOW}" in article.text
    assert article.markdown is not None
    assert f"\n\n```\n{CODE}\n```\n\n{BELOW}" in article.markdown
    assert article.html is not None
    assert f"<pre><code>{CODE}</code></pre>" in article.html


def test_reading_code_again_changes_nothing() -> None:
    once = read_text(f"{ABOVE}\n\n```\n{CODE}\n```\n\n{BELOW}").text
    assert read_text(once).text == once


def test_a_text_of_code_alone_is_code_in_markdown() -> None:
    article = extracted(f"```python\n{CODE}\n```")
    assert article.text == CODE
    assert article.markdown == f"```\n{CODE}\n```\n"


def test_code_beside_the_menu_of_a_page_goes_with_it() -> None:
    script = "var page = load({\n    name: 'harbour',\n    size: 2\n});"
    menu = "Home\n\nNews\n\nSubscribe to our newsletter"
    paragraphs = "\n\n".join(f"{ABOVE} {number} boats were there.\n\n{BELOW}" for number in range(4))
    text = read_text(f"{paragraphs}\n\nShare on Facebook\n\n{menu}\n\n{script}\n\nPrivacy policy\n\nContact").text
    assert text.startswith(ABOVE)
    assert "load" not in text


@pytest.mark.parametrize(
    "text",
    [
        f"{ABOVE}\n\n```\n\n{BELOW}",
        "    The boats:\n      * \n      * \n      * Gull (1974)",
        "  27 inch         Price       Save\n    3.6GHz/8GB/1TB  $1,349.00*  $50\n    3.2GHz/8GB/2TB  $1,899.00*  $100",
        "Rain falls; rain falls,\n    and the river is slow;\nthe boats go (they go!)\n    wherever they go;",
    ],
    ids=["one fence", "bullets", "prices", "verse"],
)
def test_other_lines_are_no_code(text: str) -> None:
    assert find_code(text.split("\n")) == []


def test_many_fences_take_no_longer_than_their_lines() -> None:
    began = time.process_time()
    assert find_code(["````py", *["```"] * 1, *["~~~ x"] * 100_000]) == []
    assert time.process_time() - began < 2
