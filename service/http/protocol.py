"""One connection: aiohttp's protocol with time limits, and with errors answered as problems.

aiohttp limits neither the time that a header takes nor the number of connections. It answers malformed requests in
plain text that quotes them, and logs them with a traceback. Here each state of a connection has its own time limit:

    connected -> idle -> receives a header -> handles the request -> sends the answer -> idle -> ...
      first byte, idle        header             (the handler's)            send
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog
from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import HttpProcessingError, HttpVersion10, HttpVersion11, RawRequestMessage
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong
from aiohttp.streams import StreamReader

from contract.labels import Cut
from contract.metrics import Metrics
from service import problems
from service.http.connections import ConnectionLimits, Connections, site_of
from service.refusals import Problem, of_http_error

log = structlog.get_logger(__name__)

SERVER: Final = "copydesk"
"""The value of the Server header: no versions."""

OTHER_VERSION = web.RequestKey("OTHER_VERSION", bool)
"""True if the request has another version than HTTP/1.0 or 1.1."""

GONE: web.RequestKey["asyncio.Future[None]"] = web.RequestKey("GONE")
"""Done when the connection of the request is lost."""

MAX_LINE_BYTES: Final = 8190  # of a request line or a header field; the default of nginx, Apache and aiohttp
MAX_FIELDS: Final = 100  # in a header; the default of Apache
MAX_HEADER_BYTES: Final = 32 * 1024  # of the whole header; the default of nginx (four buffers of 8 KiB)

_MANY_FIELDS: Final = "Too many headers"  # aiohttp has no exception class for this
_LINGER_S: Final = 2.0  # chosen: an unread body is drained for this long, so that its sender can read the answer
_LEAVE_S: Final = 5.0  # chosen: time for the client to read the last answer before the connection is closed


def built_by(server: web.Server, connections: Connections, limits: ConnectionLimits, metrics: Metrics) -> "Build":
    """Returns the protocol factory for new connections to `server`, the server of an aiohttp application."""
    make_request = server.request_factory

    def begin(  # aiohttp calls it for each request whose header is complete
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        if isinstance(protocol, Connection):
            protocol.begin(payload)
        served = message.version in {HttpVersion10, HttpVersion11}
        as_served = message if served else message._replace(version=HttpVersion11)  # otherwise the answer repeats it
        request = make_request(as_served, payload, protocol, writer, task)
        request[OTHER_VERSION] = not served
        if isinstance(protocol, Connection):
            request[GONE] = protocol.gone
        return request

    server.request_factory = begin
    return lambda: Connection(server, connections, limits, metrics)


Build = Callable[[], asyncio.Protocol]


class Connection(web.RequestHandler):
    """One connection. Its public methods except `begin` override those of aiohttp and asyncio."""

    __slots__ = (
        "_admitted",
        "_body",
        "_connections",
        "_header_bytes",
        "_in_hand",
        "_limits",
        "_line_bytes",
        "_link",
        "_metrics",
        "_site",
        "_timer",
        "gone",
    )

    def __init__(
        self, server: web.Server, connections: Connections, limits: ConnectionLimits, metrics: Metrics
    ) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type] # aiohttp's own runner takes None for none
            auto_decompress=False,  # `service.http.bodies` does it, for the bodies that are read
            lingering_time=_LINGER_S,
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_LINE_BYTES,
            max_headers=MAX_FIELDS,
        )
        self._connections = connections
        self._limits = limits
        self._metrics = metrics
        self.gone: asyncio.Future[None] = self._loop.create_future()
        self._link: asyncio.Transport | None = None
        self._site = ""
        self._admitted = False
        self._timer: asyncio.TimerHandle | None = None
        self._in_hand = False
        self._body: StreamReader | None = None
        self._header_bytes = 0  # received of the current header
        self._line_bytes = 0  # of these, the bytes up to the end of the first line

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP server always makes one
        self._link = transport
        self._site = site_of(transport.get_extra_info("peername"))
        cut = self._connections.admit(self._site)
        if cut is not None:
            self._refuse(transport)
            return
        self._admitted = True
        super().connection_made(transport)
        self._wait(Cut.FIRST_BYTE_TIMEOUT, self._limits.first_byte_timeout_s)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_timer()
        self._link = None
        self._leave()
        self.gone.set_result(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_hand:
            self._take_body(data)
        elif self._body is not None and not self._body.is_eof():
            pass  # the request is answered already: its body is dropped
        else:
            self._take_header(data)

    def begin(self, body: StreamReader) -> None:
        """Marks the connection as busy with a request whose body arrives in `body`."""
        self._in_hand, self._body = True, body
        self._stop_timer()
        if self._admitted:
            self._connections.work(self._site, self)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Sends the rest of the answer, and waits until all but one buffer of it is sent."""
        if isinstance(resp, web.HTTPException) and resp.status >= web.HTTPBadRequest.status_code:
            resp = self._problem(of_http_error(resp))  # it was raised before the middlewares ran
        if self._body is not None and not self._body.is_eof() and not resp.prepared:
            resp.force_close()
        answer, gone = await super().finish_response(request, resp, start_time)
        with suppress(ConnectionError):
            await request.writer.drain()
        self._in_hand = False
        self._header_bytes = self._line_bytes = 0
        self._wait(Cut.IDLE_TIMEOUT, self._limits.idle_timeout_s)
        return answer, gone

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it quotes the request
    ) -> web.StreamResponse:
        """Returns the answer to a request that aiohttp could not read, or to an exception of the application."""
        if not isinstance(exc, HttpProcessingError):
            log.error("request_failed", status=status, error=type(exc).__name__, exc_info=exc)
        if request.writer.output_size:
            raise ConnectionResetError  # headers are sent: the only way left is to close
        response = self._problem(self._problem_of(exc))
        response.force_close()
        return response

    def log_exception(self, *_: object, **kw: object) -> None:
        """Logs an error that ends the connection, unless the client caused it."""
        error = kw.get("exc_info")
        if not isinstance(error, HttpProcessingError | web.RequestPayloadError | ConnectionError):
            log.error("connection_failed", error=type(error).__name__, exc_info=error)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._link is not None:
            pace_s = self._link.get_write_buffer_size() / self._limits.least_send_bytes_s
            self._start_timer(self._limits.send_timeout_s + pace_s, Cut.SEND_TIMEOUT)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_timer()
        if not self._in_hand:
            self._start_timer(self._limits.idle_timeout_s, Cut.IDLE_TIMEOUT)

    def _take_body(self, data: bytes) -> None:
        """Gives the body its next bytes. aiohttp only queues an answer to an error in its chunks, and never ends it."""
        queued = len(self._messages)
        super().data_received(data)
        if len(self._messages) > queued and self._body is not None and not self._body.is_eof():
            self._body.set_exception(web.RequestPayloadError("its chunks are broken"))

    def _take_header(self, data: bytes) -> None:
        begins = bool(data) and not self._header_bytes
        if begins:
            self._stop_timer()
        if self._line_bytes == self._header_bytes:  # the first line has not ended
            end = data.find(b"\n")
            self._line_bytes += len(data) if end < 0 else end
        self._header_bytes += len(data)
        parsed = self._request_count
        super().data_received(data)
        if self._request_count > parsed:  # most headers come whole, and need no timer
            return
        if self._header_bytes > MAX_HEADER_BYTES:
            self._close_with(self._headers_too_large())
        elif begins:
            self._start_timer(self._limits.header_timeout_s, Cut.HEADER_TIMEOUT)

    def _problem_of(self, error: BaseException | None) -> Problem:
        if isinstance(error, LineTooLong) or (isinstance(error, BadHttpMessage) and _MANY_FIELDS in error.message):
            return self._headers_too_large()
        if isinstance(error, HttpProcessingError):
            return Problem(problems.BAD_REQUEST, problems.BAD_REQUEST.meaning)
        return Problem(problems.INTERNAL_ERROR, problems.INTERNAL_ERROR.meaning)

    def _headers_too_large(self) -> Problem:
        long_line = self._line_bytes > MAX_LINE_BYTES
        kind = problems.TARGET_TOO_LONG if long_line else problems.HEADER_TOO_LARGE
        return Problem(kind, kind.meaning)

    def _problem(self, problem: Problem) -> web.Response:
        self._metrics.refused.labels(problem.type.name).inc()
        response = problem.response()
        response.headers[hdrs.SERVER] = SERVER
        return response

    def _wait(self, cut: Cut, seconds: float) -> None:
        """Waits for the next request. After `seconds` it closes the connection, and counts it as `cut`."""
        self._start_timer(seconds, cut)
        if self._admitted:
            self._connections.wait(self._site, self, self._give_way)

    def _start_timer(self, seconds: float, cut: Cut) -> None:
        self._stop_timer()
        if self._link is not None:
            self._timer = self._loop.call_later(seconds, self._expire, cut)

    def _expire(self, cut: Cut) -> None:
        if self._link is not None and self._link.get_write_buffer_size():
            cut = Cut.SEND_TIMEOUT
        self._connections.count(cut)
        if cut is Cut.HEADER_TIMEOUT:
            self._close_with(Problem(problems.HEADER_TIMEOUT, problems.HEADER_TIMEOUT.meaning))
        else:
            self._abort()

    def _close_with(self, problem: Problem) -> None:
        """Sends `problem`, although there is no whole request to answer, and closes the connection."""
        self._metrics.refused.labels(problem.type.name).inc()
        if self._link is not None:
            self._link.write(problem.wire(SERVER))
        self.force_close()
        self._stop_timer()
        self._timer = self._loop.call_later(_LEAVE_S, self._abort)

    def _refuse(self, transport: asyncio.Transport) -> None:
        problem = Problem(
            problems.TOO_MANY_CONNECTIONS, problems.TOO_MANY_CONNECTIONS.meaning, headers={hdrs.RETRY_AFTER: "1"}
        )
        self._metrics.refused.labels(problem.type.name).inc()
        transport.write(problem.wire(SERVER))
        transport.close()
        self._timer = self._loop.call_later(_LEAVE_S, self._abort)

    def _give_way(self) -> None:
        self._leave()
        self._abort()

    def _leave(self) -> None:
        if self._admitted:
            self._admitted = False
            self._connections.leave(self._site, self)

    def _abort(self) -> None:
        self._stop_timer()
        self.force_close()
        if self._link is not None:
            self._link.abort()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
