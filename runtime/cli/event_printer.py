"""Prints events: as cards on a terminal, as unchanged bytes in a pipe."""

from collections import Counter

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from contract.article import Article, Failure
from contract.batches import CompletedBatch
from contract.codec import decode_event
from contract.events import BatchCompletedEvent, DisabledWebhook, ErasedEvent, ProcessedEvent, WebhookDisabledEvent
from runtime.cli import streams


class EventPrinter:
    """Prints events: as cards if standard output is a terminal, else one event a line."""

    def __init__(self, *, as_json: bool, excerpt: bool) -> None:
        self._console = Console()
        self._raw = as_json or not self._console.is_terminal
        self._excerpt = excerpt

    def show(self, event: bytes) -> None:
        """Prints `event`, the bytes of one CloudEvent."""
        if self._raw:
            streams.put_bytes(event + b"\n")
        else:
            self._console.print(event_panel(event, excerpt=self._excerpt))


def event_panel(event: bytes, *, excerpt: bool) -> RenderableType:
    """Returns an event as a panel: metadata above, text below."""
    decoded = decode_event(event)
    if isinstance(decoded, ProcessedEvent):
        return _article(decoded.data, excerpt=excerpt)
    if isinstance(decoded, ErasedEvent):
        return Panel(_facts([("id", decoded.data.id)]), title="erased", title_align="left", padding=(1, 2))
    if isinstance(decoded, BatchCompletedEvent):
        return _batch(decoded.data)
    if isinstance(decoded, WebhookDisabledEvent):
        return _disabled(decoded.data)
    return _failure(decoded.data)


def _article(article: Article, *, excerpt: bool) -> Panel:
    text = article.excerpt if excerpt else article.text
    title = Text(article.title or "(no title)", style="bold")
    return Panel(
        Group(_facts(_article_rows(article)), Text(), Text(text)), title=title, title_align="left", padding=(1, 2)
    )


def _article_rows(article: Article) -> list[tuple[str, str]]:
    taken = Counter(piece.rule for piece in article.removed)
    sure = article.provenance.language_confidence
    rows = [
        ("authors", ", ".join(article.authors)),
        ("published", article.published or ""),
        ("modified", article.modified or ""),
        ("site", article.site_name or article.host or ""),
        ("url", article.canonical_url or article.url or ""),
        ("language", f"{article.language or ''}{f' ({sure:.2f})' if sure is not None and article.language else ''}"),
        ("length", f"{article.word_count:,} words, {max(1, round(article.reading_time_s / 60))} min"),
        ("quality", _quality(article)),
        ("removed", ", ".join(f"{rule} {count}" if count > 1 else rule for rule, count in taken.items())),
        ("id", article.id),
    ]
    return [(name, value) for name, value in rows if value]


def _quality(article: Article) -> str:
    sure = article.quality.confidence
    confidence = [] if sure is None else [f"confidence {sure:.2f}"]
    return ", ".join([*confidence, *(flag.value.replace("_", " ") for flag in article.quality.flags)])


def _failure(failure: Failure) -> Panel:
    rows = [
        ("detail", failure.detail),
        ("title", failure.title or ""),
        ("url", failure.url or ""),
        ("attempts", str(failure.attempts)),
        ("id", failure.id),
    ]
    title = Text(f"failed: {failure.reason}", style="bold red")
    shown = [(name, value) for name, value in rows if value]
    return Panel(_facts(shown), title=title, title_align="left", border_style="red", padding=(1, 2))


def _batch(batch: CompletedBatch) -> Panel:
    counts = batch.counts
    rows = [
        ("documents", f"{counts.accepted:,}"),
        ("processed", f"{counts.processed:,}"),
        ("failed", f"{counts.failed:,}"),
        ("erased", f"{counts.erased:,}" if counts.erased else ""),
        ("first failures", "\n".join(f"{failure.id} {failure.reason}" for failure in batch.failures)),
        ("closed", batch.closed),
        ("completed", batch.completed),
        ("id", batch.id),
    ]
    title = Text(f"batch completed: {batch.name or batch.id}", style="bold")
    shown = [(name, value) for name, value in rows if value]
    return Panel(_facts(shown), title=title, title_align="left", padding=(1, 2))


def _disabled(webhook: DisabledWebhook) -> Panel:
    rows = [("cause", webhook.cause.value), ("failing since", webhook.failing_since or ""), ("id", webhook.id)]
    shown = [(name, value) for name, value in rows if value]
    title = Text("webhook disabled", style="bold red")
    return Panel(_facts(shown), title=title, title_align="left", border_style="red", padding=(1, 2))


def _facts(rows: list[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, Text(value))
    return table
