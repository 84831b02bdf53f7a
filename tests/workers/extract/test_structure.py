"""Tables, lists, quotes and code have the same structure in text, Markdown and HTML."""

import pytest

from tests.workers.extract.whole import forms_of

CODE = "def total(rows):\n    result = 0\n\n    for row in rows:\n        result += row\n    return result"
LINES = CODE.split("\n")
LONG = "The quarry above the village gave the stones, and each of them took two men a whole winter to dress."


@pytest.mark.parametrize(
    ("table", "text", "markdown"),
    [
        pytest.param(
            "<table><tr><th>Boat</th><th>Day</th><th>Time</th></tr><tr><td rowspan=2>Heron</td><td>Mon</td>"
            "<td>9:00</td></tr><tr><td>Tue</td><td>9:30</td></tr></table>",
            "Boat | Day | Time\nHeron | Mon | 9:00\n| Tue | 9:30",
            "| Boat | Day | Time |\n| --- | --- | --- |\n| Heron | Mon | 9:00 |\n|  | Tue | 9:30 |",
            id="a cell of two rows",
        ),
        pytest.param(
            "<table><tr><th rowspan=2>Year</th><th colspan=2>Harvest</th></tr><tr><th>Rye</th><th>Oats</th></tr>"
            "<tr><td>2001</td><td>5</td><td>6</td></tr><tr><td colspan=2>none</td><td>7</td></tr></table>",
            "Year | Harvest\n| Rye | Oats\n2001 | 5 | 6\nnone | | 7",
            "| Year | Harvest |  |\n| --- | --- | --- |\n|  | Rye | Oats |\n| 2001 | 5 | 6 |\n| none |  | 7 |",
            id="a header of two rows and columns",
        ),
        pytest.param(
            "<table><tr><td></td><th>Rye</th><th>Oats</th></tr><tr><th>2001</th><td></td><td>6</td></tr></table>",
            "| Rye | Oats\n2001 | | 6",
            "|  | Rye | Oats |\n| --- | --- | --- |\n| 2001 |  | 6 |",
            id="empty cells",
        ),
        pytest.param(
            "<table><tr><td>a</td><td>b</td></tr><tr><td rowspan=0>c</td><td>d</td></tr><tr><td>e</td></tr></table>",
            "a | b\nc | d\n| e",
            "| a | b |\n| --- | --- |\n| c | d |\n|  | e |",
            id="a cell to the end of the table",
        ),
        pytest.param(
            "<table><tr><th>Stall</th><th>Goods</th></tr><tr><td>North</td><td><ul><li>trout</li><li>herring</li></ul>"
            "</td></tr><tr><td>South</td><td><div>cheese</div><div>butter</div></td></tr></table>",
            "Stall | Goods\nNorth | trout; herring\nSouth | cheese butter",
            "| Stall | Goods |\n| --- | --- |\n| North | trout<br>herring |\n| South | cheese butter |",
            id="lists and lines in cells",
        ),
        pytest.param(
            f"<table><tr><th>Year</th><th>What</th></tr><tr><td>1890</td><td>{LONG}</td></tr>"
            "<tr><td>1</td><td>2</td></tr></table>",
            f"Year | What\n1890 | {LONG}\n1 | 2",
            f"| Year | What |\n| --- | --- |\n| 1890 | {LONG} |\n| 1 | 2 |",
            id="the last row of a few signs stays",
        ),
    ],
)
def test_each_cell_stands_under_its_header(table: str, text: str, markdown: str) -> None:
    forms = forms_of(table)
    assert forms.text == text
    assert forms.markdown == markdown


def test_spans_stay_in_html() -> None:
    forms = forms_of("<table><tr><th rowspan=2>a</th><th colspan='2'>b</th></tr><tr><td>1</td><td>2</td></tr></table>")
    assert '<th rowspan="2">a</th><th colspan="2">b</th>' in forms.html


@pytest.mark.parametrize("spans", ["colspan=999999999", "rowspan=999999999", "colspan=-1", "colspan=x rowspan=''"])
def test_huge_spans_do_no_harm(spans: str) -> None:
    forms = forms_of(f"<table><tr><td {spans}>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>")
    assert forms.text.split("\n")[0].startswith("a")
    assert all(letter in forms.markdown for letter in "acd")


@pytest.mark.parametrize(
    ("within", "text", "markdown"),
    [
        pytest.param(
            "<ul><li>one<ol><li>a</li><li>b<ul><li>deep</li></ul></li></ol></li><li>two</li></ul>",
            "- one\n  - a\n  - b\n    - deep\n- two",
            "- one\n  1. a\n  2. b\n     - deep\n- two",
            id="lists in lists",
        ),
        pytest.param(
            "<ol start=4><li>d</li><li>e</li></ol>", "- d\n- e", "4. d\n5. e", id="a list that begins at four"
        ),
        pytest.param("<ol start=-1><li>d</li></ol>", "- d", "1. d", id="a list that begins below zero"),
        pytest.param(
            "<ul><li>one</li><ul><li>deep</li></ul></ul>", "- one\n  - deep", "- one\n  - deep", id="a list in no item"
        ),
        pytest.param(
            "<ol><li>Do this:<pre>make\nmake test</pre></li><li>Then that.</li></ol>",
            "- Do this:\n\nmake\nmake test\n\n- Then that.",
            "1. Do this:\n\n   ```\n   make\n   make test\n   ```\n2. Then that.",
            id="code in an item",
        ),
        pytest.param(
            f"<ol><li><h3>Roof</h3><p>{LONG}</p></li><li><h3>Floor</h3><p>It was laid anew.</p></li></ol>",
            f"Roof\n\n{LONG}\n\nFloor\n\nIt was laid anew.",
            f"1. ### Roof\n\n   {LONG}\n2. ### Floor\n\n   It was laid anew.",
            id="headings in items",
        ),
        pytest.param(
            f"<blockquote><p>{LONG}</p><ul><li>one stall</li><li>one number</li></ul></blockquote>",
            f"{LONG}\n\n- one stall\n- one number",
            f"> {LONG}\n>\n> - one stall\n> - one number",
            id="a list in a quote",
        ),
        pytest.param(
            f"<ul><li>He says:<blockquote><p>{LONG}</p></blockquote></li><li>Two</li></ul>",
            f"- He says:\n\n{LONG}\n\n- Two",
            f"- He says:\n\n  > {LONG}\n- Two",
            id="a quote in an item",
        ),
    ],
)
def test_lists_and_quotes_keep_their_content(within: str, text: str, markdown: str) -> None:
    forms = forms_of(within)
    assert forms.text == text
    assert forms.markdown == markdown


def test_lists_as_word_writes_them() -> None:
    bullet = "<span style='font-family:Symbol'><span style='mso-list:Ignore'>·<span>&nbsp;&nbsp; </span></span></span>"
    item = f"<p class=MsoListParagraphCxSpMiddle style='mso-list:l0 level1 lfo1'>{bullet}{{}}</p>"
    forms = forms_of(item.format("a cobbler who mends while you wait") + item.format("a stall for bicycle parts"))
    assert forms.text == "- a cobbler who mends while you wait\n- a stall for bicycle parts"
    assert forms.markdown == forms.text


GUTTERS = {
    "a table of Pygments": "<table class=highlighttable><tr><td class=linenos><div class=linenodiv><pre>{numbers}</pre>"
    "</div></td><td class=code><div><pre><span></span>{code}</pre></div></td></tr></table>",
    "a table of Rouge": "<table class=rouge-table><tbody><tr><td class='rouge-gutter gl'><pre class=lineno>{numbers}\n"
    "</pre></td><td class=rouge-code><pre>{code}\n</pre></td></tr></tbody></table>",
    "a table without names": "<table><tr><td><pre>{numbers}</pre></td><td><pre>{code}</pre></td></tr></table>",
    "a number in each line": "<pre>{numbered}</pre>",
    "rows of highlight.js": "<pre><code class=hljs><table class=hljs-ln>{rows}</table></code></pre>",
    "empty spans of Prism": "<pre class=line-numbers><code>{code}<span class=line-numbers-rows><span></span></span>"
    "</code></pre>",
    "a line in each div": "<pre><code>{divs}</code></pre>",
}


@pytest.mark.parametrize("page", GUTTERS.values(), ids=GUTTERS)
def test_code_keeps_its_lines_and_loses_their_numbers(page: str) -> None:
    forms = forms_of(
        page.format(
            numbers="\n".join(str(number) for number, _ in enumerate(LINES, 1)),
            code=CODE,
            numbered="\n".join(f"<span class=lineno>{number} </span>{line}" for number, line in enumerate(LINES, 1)),
            rows="".join(
                f"<tr><td class=hljs-ln-numbers>{number}</td><td class=hljs-ln-code>{line}\n</td></tr>"
                for number, line in enumerate(LINES, 1)
            ),
            divs="".join(f"<div class=line>{line}\n</div>" for line in LINES),
        )
    )
    lines = [line for line in LINES if line] if "rows" in page or "divs" in page else LINES
    assert [line for line in forms.text.split("\n") if line or lines is LINES] == lines
    assert forms.markdown.split("\n")[0] == "```"
    assert all(line in forms.markdown for line in lines)
    assert all(line in forms.html for line in lines)


@pytest.mark.parametrize(
    "before",
    [
        "<button class=copy>Copy</button>",
        "<div class=toolbar><button>Copy code</button></div>",
        "<a class=copy-btn href='#'>Kopieren</a>",
        "<div class=code-header><span>python</span><button>Copied!</button></div>",
        "<span class=btn-clipboard>コピー</span>",
    ],
)
def test_buttons_that_copy_and_labels_are_no_text(before: str) -> None:
    forms = forms_of(f"<div class=code-toolbar>{before}<pre><code class=language-python>{CODE}</code></pre></div>")
    assert forms.text == CODE
    assert forms.markdown == f"```python\n{CODE}\n```"
    assert forms.html == f'<pre><code class="language-python">{CODE}</code></pre>'


@pytest.mark.parametrize(
    "markup",
    [
        "<pre class='brush: js'>{}</pre>",
        "<pre><code class='hljs language-js'>{}</code></pre>",
        "<pre data-lang=js><code>{}</code></pre>",
        "<div class='highlight-source-js'><pre>{}</pre></div>",
        "<div class='language-js highlighter-rouge'><div class=highlight><pre>{}</pre></div></div>",
    ],
)
def test_the_language_of_code_is_named(markup: str) -> None:
    assert forms_of(markup.format("let a = 1;\nb(a);")).markdown == "```js\nlet a = 1;\nb(a);\n```"


def test_line_feeds_count_where_a_style_says_so() -> None:
    forms = forms_of(f"<div style='white-space: pre-line'>{LONG}\nAnd so on.\n\n{LONG[::-1]}</div>")
    assert forms.text == f"{LONG}\nAnd so on.\n\n{LONG[::-1]}"
    assert forms_of(f"<p class=whitespace-pre-wrap>{LONG}\nAnd so on.</p>").markdown == f"{LONG}\\\nAnd so on."


@pytest.mark.parametrize(
    ("markup", "text", "markdown", "html"),
    [
        ("10<sup>3</sup> m<sup>2</sup>", "10³ m²", "10³ m²", "10<sup>3</sup> m<sup>2</sup>"),
        ("H<sub>2</sub>O", "H₂O", "H₂O", "H<sub>2</sub>O"),
        ("the 19<sup>th</sup>", "the 19th", "the 19th", "the 19<sup>th</sup>"),
        ("x<sup>n+1</sup>", "xⁿ⁺¹", "xⁿ⁺¹", "x<sup>n+1</sup>"),
        ("a note<sup>[1]</sup>", "a note[1]", "a note\\[1\\]", "a note<sup>[1]</sup>"),
        ("<q>it is <q>fine</q></q>", "“it is ‘fine’”", "“it is ‘fine’”", "“it is ‘fine’”"),
        ("“<q>fine</q>”", "“fine”", "“fine”", "“fine”"),
        ("<ruby>水<rt>mizu</rt></ruby>", "水（mizu）", "水（mizu）", "水（mizu）"),
        ("<ruby>水<rp>(</rp><rt>mizu</rt><rp>)</rp></ruby>", "水(mizu)", "水(mizu)", "水(mizu)"),
        ("<img class=emoji alt='🎉' src=/e.svg>", "🎉", "🎉", "🎉"),
        ("<img alt='👍🏽' src=/e.svg>", "👍🏽", "👍🏽", "👍🏽"),
        ("<img class=wp-smiley alt=':)' src=/e.gif>", ":)", ":)", ":)"),
        (
            "<a href='/x'>plan<span class=sr-only> (new window)</span></a>",
            "plan",
            "[plan](https://post.example/x)",
            None,
        ),
        ("the wheel<span hidden>NOTE</span>", "the wheel", "the wheel", "the wheel"),
        ("the wheel<span style='display:none'>NOTE</span>", "the wheel", "the wheel", "the wheel"),
        ("wheel<span role=tooltip style='visibility:hidden'>A round thing</span>", "wheel", "wheel", "wheel"),
        ("the wheel<span style='position:absolute;left:-9999px'>NOTE</span>", "the wheel", "the wheel", "the wheel"),
        ("the wheel<span class=cjNk>NOTE</span>", "the wheel", "the wheel", "the wheel"),
        ("the <a href='#w'>¶</a>wheel", "the wheel", "the wheel", "the wheel"),
    ],
)
def test_inline_elements(markup: str, text: str, markdown: str, html: str | None) -> None:
    forms = forms_of(
        f"<p>As it is written on the gate of the mill, {markup} and so on, for all who can read it.</p>",
        head="<style>p{color:red}\n.cjNk { display : none }</style>",
    )
    assert forms.text == f"As it is written on the gate of the mill, {text} and so on, for all who can read it."
    assert f"the mill, {markdown} and" in forms.markdown
    assert html is None or f"the mill, {html} and" in forms.html


KATEX = (
    "<span class=katex><span class=katex-mathml><math><semantics><mrow><mi>P</mi></mrow><annotation "
    'encoding="application/x-tex">P = m v^2</annotation></semantics></math></span><span class=katex-html '
    'aria-hidden="true"><span class=base>P=mv2</span></span></span>'
)
WIKIPEDIA = (
    '<span class="mwe-math-element"><span class="mwe-math-mathml-inline" style="display: none;"><math><semantics>'
    '<mi>P</mi><annotation encoding="application/x-tex">{\\displaystyle P = m v^2}</annotation></semantics></math>'
    '</span><img src="/f.svg" class="mwe-math-fallback-image-inline" alt="{\\displaystyle P = m v^2}"></span>'
)
MATHJAX_2 = (
    '<span class="MathJax_Preview"></span><span class="MathJax" id="m"><nobr>P=mv2</nobr></span>'
    '<script type="math/tex">P = m v^2</script>'
)
MATHJAX_3 = (
    '<mjx-container class="MathJax"><mjx-math aria-hidden="true"><mjx-mi>P</mjx-mi></mjx-math><mjx-assistive-mml><math '
    'alttext="P = m v^2"><mi>P</mi></math></mjx-assistive-mml></mjx-container>'
)
IMAGE = '<img class="latex" src="/f.png" alt="P = m v^2">'


@pytest.mark.parametrize("formula", [KATEX, WIKIPEDIA, MATHJAX_2, MATHJAX_3, IMAGE])
def test_a_formula_stands_there_once_and_can_be_read(formula: str) -> None:
    forms = forms_of(f"<p>The power is {formula} for the old wheel, as the engineer said on Monday evening.</p>")
    line = "The power is {} for the old wheel, as the engineer said on Monday evening."
    assert forms.text == line.format("P = m v^2")
    assert forms.markdown in {line.format("$P = m v^2$"), line.format("P = m v^2")}


@pytest.mark.parametrize(
    ("math", "text"),
    [
        ("<mi>E</mi><mo>=</mo><mi>m</mi><msup><mi>c</mi><mn>2</mn></msup>", "E=mc^2"),
        ("<mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mn>2</mn></mfrac>", "(a+b)/2"),
        ("<msqrt><mi>x</mi></msqrt><mo>≥</mo><msub><mi>x</mi><mn>0</mn></msub>", "√x≥x_0"),
        ("<munderover><mo>∑</mo><mi>i</mi><mi>n</mi></munderover><mi>i</mi>", "∑_i^ni"),
    ],
)
def test_mathml_alone_is_written_in_a_line(math: str, text: str) -> None:
    forms = forms_of(f"<p>As the engineer put it, <math>{math}</math> holds for every wheel on this river.</p>")
    assert forms.text == f"As the engineer put it, {text} holds for every wheel on this river."


@pytest.mark.parametrize(
    "heading",
    [
        "Costs<a class=headerlink href='#costs' title=Permalink>¶</a>",
        "<a class=anchor href='#costs' aria-hidden=true><span></span></a>Costs",
        "Costs <a href='/mill#costs'><span>#</span></a>",
        "Costs<a href='#costs'>Permalink</a>",
        "Costs<span class=mw-editsection><span>[</span><a href=/e>edit</a><span>]</span></span>",
    ],
)
def test_permalinks_are_not_part_of_a_heading(heading: str) -> None:
    forms = forms_of(f"<h2 id=costs>{heading}</h2><p>{LONG}</p>")
    assert forms.text == f"Costs\n\n{LONG}"
    assert forms.markdown == f"## Costs\n\n{LONG}"


@pytest.mark.parametrize(
    ("markup", "texts"),
    [
        (f"<x-body><x-p>{LONG}</x-p><x-p>{LONG[::-1]}</x-p></x-body>", [LONG, LONG[::-1]]),
        (f"<p>{LONG} It was <time-ago>two days ago</time-ago>.</p>", [f"{LONG} It was two days ago."]),
    ],
)
def test_elements_of_the_page_itself_end_lines_where_they_hold_whole_ones(markup: str, texts: list[str]) -> None:
    assert forms_of(markup).text.split("\n\n") == texts
