from contract.options import Format, Options, Part
from tests.workers.outputs.pages import blocks_of
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
