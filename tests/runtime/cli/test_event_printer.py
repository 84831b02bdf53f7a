from io import StringIO
from pathlib import Path

from rich.console import Console

from runtime.cli.event_printer import event_panel

GOLDEN = Path(__file__).parents[2] / "golden"


def shown(name: str, *, excerpt: bool = False) -> str:
    return printed((GOLDEN / f"{name}.json").read_bytes(), excerpt=excerpt)


def printed(event: bytes, *, excerpt: bool) -> str:
    console = Console(width=100, file=StringIO())
    console.print(event_panel(event, excerpt=excerpt))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_an_articles_card_has_its_metadata_and_text() -> None:
    text = shown("document.processed.v1.full")
    for part in ("A title", "Ada Byron", "2026-11-20T08:00:00+01:00", "en (0.98)", "3 words", "counter", "- three"):
        assert part in text


def test_an_excerpt_leaves_the_rest_out() -> None:
    assert "- three" not in shown("document.processed.v1.full", excerpt=True)


def test_a_failures_card_says_why() -> None:
    text = shown("document.failed.v1.full")
    for part in ("failed: server_error", "status 503", "https://www.example.com/b"):
        assert part in text


def test_the_card_of_a_batch_has_its_counts_and_failures() -> None:
    text = shown("batch.completed.v1.full")
    for part in ("batch completed: import-2026-11-28", "200", "190", "0192a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b not_found"):
        assert part in text


def test_markup_in_a_document_is_text() -> None:
    body = (GOLDEN / "document.processed.v1.full.json").read_bytes().replace(b"A title", b"[red]A title[/red]")
    assert "[red]A title[/red]" in printed(body, excerpt=True)


def test_a_card_shows_confidence_and_flags() -> None:
    text = shown("document.processed.v1.quality")
    assert "confidence 0.93, short, paywall" in text


def test_a_card_without_quality_shows_none() -> None:
    assert "quality" not in shown("document.processed.v1.full")
