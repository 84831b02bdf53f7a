"""Logs: structlog to standard error, one JSON object a line, or readable lines on a terminal."""

import logging
import os
import sys
from contextlib import suppress
from typing import TextIO, cast

import stamina
import structlog

from runtime.settings import Settings, service_links


class _Lossy:
    """A stream that drops what cannot be written: a full disk under the log must not end the process."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> int:
        with suppress(OSError):
            self._stream.write(line)
        return len(line)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def configure(settings: Settings) -> None:
    """Sets up structlog. Logs of libraries from WARNING on go the same way."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
        if console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _Lossy(sys.stderr))),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)
    hush_libraries()
    links = service_links(os.environ)
    if links:
        hint = "Kubernetes sets them for a Service named copydesk; enableServiceLinks: false in the pod leaves them out"
        structlog.get_logger(__name__).info("service_links_ignored", variables=links, hint=hint)


def hush_libraries() -> None:
    """Ends what libraries log of a broker that is away: who speaks with it says so once, with what to do."""
    for name in ("aiormq", "aio_pika"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    stamina.instrumentation.set_on_retry_hooks(())
