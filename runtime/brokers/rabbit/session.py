"""A session: one connection with its channels. It ends for good when any of them is lost."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn, cast

import structlog
from aio_pika import Connection
from aio_pika.abc import AbstractChannel
from aio_pika.connection import make_url
from aio_pika.exceptions import CONNECTION_EXCEPTIONS, DeliveryError
from aiormq.exceptions import ChannelAccessRefused
from yarl import URL

from contract.labels import SessionLoss, SessionRole
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.refusals import explained, permission_refused

if TYPE_CHECKING:
    import aiormq

log = structlog.get_logger(__name__)


class SessionLost(Exception):
    """The session ended because of `cause`. `detail` is the message of the library or the broker."""

    def __init__(self, cause: SessionLoss, detail: str) -> None:
        super().__init__(cause, detail)
        self.cause = cause
        self.detail = detail


@contextmanager
def translated(cause: SessionLoss) -> Iterator[None]:
    """Turns what aio-pika raises for a lost connection or channel into `SessionLost`. A refusal stays as it is.

    When no frame arrived for too long, aiormq ends waiting calls with a CancelledError. Passed on, it would end a task
    of ours silently.
    """
    try:
        yield
    except DeliveryError:
        raise
    except ChannelAccessRefused as error:
        raise SessionLost(SessionLoss.PERMISSION_REFUSED, permission_refused(str(error.args[0]))) from error
    except CONNECTION_EXCEPTIONS as error:
        raise SessionLost(cause, repr(error)) from error
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise SessionLost(SessionLoss.HEARTBEAT_MISSED, "cancelled by the connection's end") from error
    except Exception as error:
        if type(error) is not Exception:  # aiormq raises this where a connection is closed in order
            raise
        raise SessionLost(cause, "the connection was closed") from error


class Session:
    """One connection to the broker. Any loss ends it; it never reconnects."""

    def __init__(self, url: str, role: SessionRole, limits: RabbitLimits) -> None:
        self._limits = limits
        self._url = _with_heartbeat(url, limits)
        self._connection = Connection(self._url, client_properties={"connection_name": role})
        self._publishing: set[aiormq.abc.AbstractChannel] = set()
        self._unwanted: set[asyncio.Future[None]] = set()  # channels that close because their callers went away
        self._over = asyncio.Event()
        self._loss = SessionLost(SessionLoss.CONNECTION_CLOSED, "closed by us")
        self._when_lost: Callable[[], None] | None = None

    async def open(self) -> None:
        """Connects. Always call `aclose` afterwards.

        Raises:
            SessionLost: the broker cannot be reached, or refuses the login.
        """
        self._connection.close_callbacks.add(self._connection_closed)
        timeout_s = self._limits.connect_timeout_s
        try:
            with translated(SessionLoss.UNREACHABLE):
                async with asyncio.timeout(timeout_s):
                    await self._connection.connect()
        except SessionLost as loss:
            cause, detail = await explained(loss, self._url, vhost=vhost_of(self._url), timeout_s=timeout_s)
            raise SessionLost(cause, detail) from loss

    async def aclose(self) -> None:
        """Ends the session. The broker returns to the queues what was delivered and not acked."""
        self._over.set()
        try:
            with translated(SessionLoss.CONNECTION_CLOSED):
                async with asyncio.timeout(self._limits.close_timeout_s):
                    await self._connection.close()
        except SessionLost as loss:
            log.warning("broker_session_not_closed_in_order", detail=loss.detail)

    async def channel(self, *, prefetch: int = 0) -> AbstractChannel:
        """Opens a channel with publisher confirms. When it closes, the session ends. A prefetch of 0 sets no limit.

        Raises:
            SessionLost: it could not be opened.
        """
        with translated(SessionLoss.CHANNEL_CLOSED):
            channel = self._connection.channel(on_return_raises=True)
            channel.close_callbacks.add(self._channel_closed)
            await channel.initialize()
            (await channel.get_underlay_channel()).on_consumer_cancel_callbacks.add(self._consumer_cancelled)
            if prefetch:
                await channel.set_qos(prefetch_count=prefetch)
        return channel

    async def scratch_channel(self) -> AbstractChannel:
        """Opens a channel that may be closed without ending the session: for declarations."""
        with translated(SessionLoss.CHANNEL_CLOSED):
            channel = self._connection.channel(publisher_confirms=False)
            await channel.initialize()
        return channel

    async def publishing_channel(self) -> "aiormq.Channel":
        """Opens a channel with publisher confirms. When it closes, the session ends.

        Raises:
            SessionLost: it could not be opened.
        """
        channel = await self._bare_channel(confirms=True)
        channel.closing.add_done_callback(lambda closing: self._publishing_channel_closed(channel, closing))
        self._publishing.add(channel)
        return channel

    async def passing_channel(self) -> "aiormq.abc.AbstractChannel":
        """Opens a channel for one step. Calls that wait on it fail when it closes.

        Raises:
            SessionLost: it could not be opened.
        """
        return await self._bare_channel(confirms=False)

    async def drop(self, channel: "aiormq.abc.AbstractChannel") -> None:
        """Closes a passing channel."""
        with translated(SessionLoss.CHANNEL_CLOSED):
            await channel.close(None)

    async def retire(self, channel: "aiormq.abc.AbstractChannel", *, after_s: float) -> None:
        """Closes a publishing channel after `after_s` seconds. The session continues."""
        await asyncio.sleep(after_s)
        self._publishing.discard(channel)
        await self.drop(channel)

    def is_blocked(self) -> bool:
        """Returns True if the broker does not read from this connection because of a memory or disk alarm.

        Each publish asks, so one step of the waiting is run by hand: it ends at once unless there is something to wait
        for. A task and a timeout for it took a tenth of a verdict's time (measured).
        """
        waiting = self.until_not_blocked()
        try:
            waiting.send(None)
        except StopIteration:
            return False
        finally:
            waiting.close()
        return True

    async def until_not_blocked(self) -> None:
        """Returns when the broker reads from this connection. Never returns after it is closed."""
        if self._connection.transport is None:
            await asyncio.Event().wait()
        else:
            await self._connection.transport.ready()

    @property
    def server_version(self) -> str:
        """The version of the broker, as it says in its greeting."""
        if self._connection.transport is None:
            raise SessionLost(SessionLoss.CONNECTION_CLOSED, "there is no connection")
        connection = cast("aiormq.Connection", self._connection.transport.connection)
        version = connection.server_properties.get("version", "")
        return version.decode() if isinstance(version, bytes) else str(version)

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def lose(self, cause: SessionLoss, detail: str) -> None:
        """Ends the session for a reason that the library does not notice. The first loss counts."""
        if self._over.is_set():
            return
        self._loss = SessionLost(cause, detail)
        self._over.set()
        if self._when_lost is not None:
            self._when_lost()

    def when_lost(self, call: Callable[[], None]) -> None:
        """Registers `call`, which is called when the session is lost."""
        self._when_lost = call

    def check(self) -> None:
        """Returns while the session lives.

        Raises:
            SessionLost: it is over.
        """
        if self._over.is_set():
            raise self._loss

    async def until_lost(self) -> NoReturn:
        """Waits until the session is lost and raises the loss."""
        await self._over.wait()
        raise self._loss

    async def _bare_channel(self, *, confirms: bool) -> "aiormq.Channel":
        """Opens a channel of aiormq: one of aio-pika leaves two futures and a task in the connection (10.2).

        The caller may be cancelled, the opening is not: RabbitMQ ends the connection when messages that open a channel
        and close it again cross (aiormq 7.2).
        """
        if self._connection.transport is None:
            raise SessionLost(SessionLoss.CONNECTION_CLOSED, "there is no connection")
        with translated(SessionLoss.CHANNEL_CLOSED):
            opening = asyncio.ensure_future(
                self._connection.transport.connection.channel(publisher_confirms=confirms, on_return_raises=confirms)
            )
            try:
                channel = await asyncio.shield(opening)
            except asyncio.CancelledError:
                opening.add_done_callback(self._close_unwanted)
                raise
        return cast("aiormq.Channel", channel)

    def _close_unwanted(self, opening: "asyncio.Future[aiormq.abc.AbstractChannel]") -> None:
        if opening.cancelled() or opening.exception() is not None:
            return
        closing = asyncio.ensure_future(opening.result().close(None))
        self._unwanted.add(closing)
        closing.add_done_callback(self._unwanted.discard)

    def _connection_closed(self, _: object, error: BaseException | None) -> None:
        stuck = isinstance(error, asyncio.CancelledError)  # aiormq cancels its reader without frames for too long
        self.lose(SessionLoss.HEARTBEAT_MISSED if stuck else SessionLoss.CONNECTION_CLOSED, repr(error))

    def _channel_closed(self, _: object, error: BaseException | None) -> None:
        self.lose(SessionLoss.CHANNEL_CLOSED, repr(error))

    def _publishing_channel_closed(
        self, channel: "aiormq.abc.AbstractChannel", closing: "asyncio.Future[object]"
    ) -> None:
        error = None if closing.cancelled() else closing.exception()
        if channel in self._publishing:
            self.lose(SessionLoss.CHANNEL_CLOSED, repr(error))

    def _consumer_cancelled(self, _: object) -> None:
        self.lose(SessionLoss.CONSUMER_CANCELLED, "its queue was deleted or its leader moved")


def vhost_of(url: URL) -> str:
    """Returns the virtual host of an AMQP URL, `/` where it names none."""
    return url.path[1:] or "/"


def _with_heartbeat(url: str, limits: RabbitLimits) -> URL:
    given = make_url(url)
    return given if "heartbeat" in given.query else given.update_query(heartbeat=str(limits.heartbeat_s))
