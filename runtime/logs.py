"""Sets up logs: structlog to standard error, one JSON object a line, or readable lines on a terminal.

Exceptions are logged as class names and stack frames. Their messages and the values of variables are left out, in
every format and from every source, because they may quote a document, a header or a password.
"""

import logging
import os
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from types import TracebackType
from typing import Any, TextIO, cast

import stamina
import structlog

from contract.tracing import current, document
from runtime.settings import Settings, service_links

log = structlog.get_logger(__name__)

_MAX_CAUSES = 8  # logged causes of one exception; chosen: longer than real chains, which have no limit
_MAX_GROUP = 8  # logged exceptions of one group; chosen: the rest is usually the same


class _Lossy:
    """A stream that drops lines that cannot be written: a full disk must not end the process."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> int:
        with suppress(OSError):
            self._stream.write(line)
        return len(line)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


class _Libraries(logging.Handler):
    """Passes log records of libraries to structlog: logger, place, and the text without its values.

    A text without separate values may already contain them, such as asyncio's report on a failed task. Such a text is
    left out; the place in the code identifies it.
    """

    def emit(self, record: logging.LogRecord) -> None:
        text = record.msg if record.args and isinstance(record.msg, str) else None
        log.log(
            logging.ERROR
            if record.levelno >= logging.ERROR
            else record.levelno // 10 * 10,  # the names structlog knows
            "library",
            logger=record.name,
            at=f"{record.filename}:{record.lineno}",
            **({} if text is None else {"text": text}),
            **({"exc_info": record.exc_info} if record.exc_info else {}),
        )


def configure(settings: Settings) -> None:
    """Sets up structlog. Records of libraries from WARNING on, warnings, and uncaught errors go through it, too."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    renderer = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        if console
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            with_trace,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            without_messages,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _Lossy(sys.stderr))),
        cache_logger_on_first_use=False,
    )
    logging.raiseExceptions = False  # otherwise a handler that fails prints the record with its values
    logging.basicConfig(handlers=[_Libraries()], level=max(level, logging.WARNING), force=True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable
    warnings.showwarning = _warned
    silence_amqp_libraries()
    links = service_links(os.environ)
    if links:
        hint = "Kubernetes sets them for a Service named copydesk; enableServiceLinks: false in the pod leaves them out"
        log.info("service_links_ignored", variables=links, hint=hint)


def silence_amqp_libraries() -> None:
    """Drops the logs of AMQP libraries about a lost broker: our session logs the loss once, with advice."""
    for name in ("aiormq", "aio_pika"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    stamina.instrumentation.set_on_retry_hooks(())


def silence() -> None:
    """Drops the logs of libraries until `configure` is called: commands print their own messages."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
    logging.basicConfig(level=logging.CRITICAL, force=True)


def with_trace(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Adds what the task works on: `id` of the document, `trace_id` and `span_id`. A structlog processor."""
    document_id, trace = document(), current()
    if document_id is not None:
        event.setdefault("id", document_id)
    if trace is not None:
        event["trace_id"], event["span_id"] = trace.trace_id, trace.span_id
    return event


def without_messages(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replaces `exc_info` by `exception`: class names and frames. A structlog processor."""
    given = event.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else given[1] if isinstance(given, tuple) else None
    if given is True:
        error = sys.exc_info()[1]
    if error is not None:
        event["exception"] = described(error)
    return event


def described(error: BaseException) -> str:
    """Returns the class names and frames of `error`, of its causes and of the exceptions in its group."""
    return "\n".join(_lines(error, _MAX_CAUSES))


def _lines(error: BaseException, depth: int) -> Iterator[str]:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and depth:
        yield from _lines(cause, depth - 1)
        yield "which led to"
    yield from "".join(traceback.format_tb(error.__traceback__)).splitlines()
    yield f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, BaseExceptionGroup) and depth:
        for inner in error.exceptions[:_MAX_GROUP]:
            yield "which holds"
            yield from _lines(inner, depth - 1)


def _uncaught(kind: type[BaseException], error: BaseException, frames: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    log.critical("process_failed", error=kind.__name__, exc_info=error.with_traceback(frames))


def _uncaught_in_thread(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_type is not SystemExit:
        log.error("thread_failed", error=failed.exc_type.__name__, exc_info=failed.exc_value)


def _unraisable(failed: "sys.UnraisableHookArgs") -> None:
    log.error("exception_ignored", error=failed.exc_type.__name__, exc_info=failed.exc_value)


def _warned(  # noqa: PLR0913, PLR0917 - the signature that the warnings module calls
    message: Warning | str,  # noqa: ARG001 - left out, because it may quote a document
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001 - always None
    line: str | None = None,  # noqa: ARG001 - always None
) -> None:
    log.warning("library_warned", category=category.__name__, at=f"{filename}:{lineno}")
