from contract.options import Format, Options
from tests.workers.outputs.pages import blocks_of
from workers.outputs.forms import write_forms

EVERY = Options(formats=tuple(Format))


def test_only_what_is_asked_for_is_written() -> None:
    blocks = blocks_of("<p>One.</p>")
    assert write_forms("One.", blocks, None, Options()) == {}
    assert write_forms("One.", blocks, None, Options(formats=(Format.MARKDOWN,))) == {"markdown": "One.\n"}
    assert write_forms("One.", blocks, None, EVERY) == {"markdown": "One.\n", "html": "<p>One.</p>"}


def test_text_without_blocks_is_paragraphs_and_lists() -> None:
    text = "One & two.\nThree.\n\n- a\n- b\n\n# Four"
    assert write_forms(text, (), None, EVERY) == {
        "markdown": "One & two.\\\nThree.\n\n- a\n- b\n\n\\# Four\n",
        "html": "<p>One &amp; two.<br>Three.</p><ul><li>a</li><li>b</li></ul><p># Four</p>",
    }


def test_a_declared_base_counts() -> None:
    blocks = blocks_of("<base href='/archive/'><p><a href='a'>One</a></p>")
    written = write_forms("One", blocks, "https://www.example.org/news/", Options(formats=(Format.MARKDOWN,)))
    assert written == {"markdown": "[One](https://www.example.org/archive/a)\n"}


def test_without_a_url_relative_links_are_words() -> None:
    blocks = blocks_of("<p><a href='a'>One</a> <a href='https://b.example/'>two</a></p>")
    written = write_forms("One two", blocks, None, Options(formats=(Format.MARKDOWN,)))
    assert written == {"markdown": "One [two](https://b.example/)\n"}
