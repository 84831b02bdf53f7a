import pytest

from contract.options import Format, Options, Part
from tests.workers.outputs.pages import blocks_of
from workers.outputs.forms import write_forms

CONTROLS = [chr(code) for code in range(0xA0) if (code < 0x20 and code not in {9, 10}) or code >= 0x7F]
EVERY = Options(formats=tuple(Format))


def test_only_requested_forms_are_written() -> None:
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


def test_controls_are_dropped_and_c1_is_windows_1252_as_in_the_text() -> None:
    markup = (
        "<p>It&#x92;s \x93so\x94\x7f, a&#127;b\x9d&#8;</p><pre>\x80&#x85;</pre><p><img alt='\x80&#127;' src=/a></p>"
    )
    options = Options(formats=tuple(Format), include=tuple(Part))
    written = write_forms("", blocks_of(markup), "https://www.example.org/", options)
    for form in written.values():
        assert not [character for character in form if character in CONTROLS]
        assert "€" in form
    assert "It’s “so”, ab" in written[Format.HTML]


@pytest.mark.parametrize("base", ["/a&#8;/", "https://www&#x1f;.example.org/", "//a&#127;&#xfffe;/", "&#1;"])
def test_a_base_with_controls_does_no_harm(base: str) -> None:
    markup = f"<base href='{base}'><p>One <a href='b'>two</a></p><p><img src='c&#8;.png'></p><p>Three</p>"
    options = Options(formats=tuple(Format), include=tuple(Part))
    written = write_forms("", blocks_of(markup), "https://www.example.org/", options)
    assert "two" in written[Format.HTML]
    assert not [character for form in written.values() for character in form if character in CONTROLS]


@pytest.mark.parametrize("tag", ["a href=/", "b", "em", "sub", "code", "span"])
def test_an_element_of_controls_alone_is_nothing(tag: str) -> None:
    nothing = f"<{tag}>&#8;</{tag.partition(' ')[0]}><{tag}>\x9d</{tag.partition(' ')[0]}>"
    markup = f"<p>One {nothing}two</p><table><tr><td><p>{nothing}</p><p>Three</p><td>Four</table>"
    written = write_forms("", blocks_of(markup), "https://www.example.org/", EVERY)
    assert "One two" in written[Format.MARKDOWN]
    assert "Three" in written[Format.MARKDOWN]


@pytest.mark.parametrize("host", ["xn--example", "xn--", "xn--a\u2026.example", "a\u2026\u2018.example"])
def test_a_host_that_is_no_idna_does_no_harm(host: str) -> None:
    markup = f"<base href='https://{host}/'><p><a href='https://{host}/a'>One</a> <a href='b'>two</a></p>"
    assert "One" in write_forms("", blocks_of(markup), None, EVERY)[Format.HTML]


def test_text_without_blocks_holds_no_controls_either() -> None:
    written = write_forms("a\x7fb \x93c\x94", (), None, EVERY)
    assert written == {"markdown": "ab “c”\n", "html": "<p>ab “c”</p>"}
