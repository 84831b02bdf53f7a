"""Stands between the subscriber and the broker, so that the connection can be cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_PIECE_BYTES = 65536  # chosen: what a socket gives at once


class Relay:
    """Connections to `host` and `port`. Made by `relay`."""

    def __init__(self, host: str, port: int, group: asyncio.TaskGroup) -> None:
        self._host, self._port, self._group = host, port, group
        self._writers: set[asyncio.StreamWriter] = set()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connects the two sides until one of them ends."""
        self._group.create_task(self._serve(reader, writer))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(OSError):
            answers, asks = await asyncio.open_connection(self._host, self._port)
            self._writers.add(asks)
            await asyncio.gather(_copy(reader, asks), _copy(answers, writer))
            self._writers.discard(asks)
        self._writers.discard(writer)
        writer.close()

    def cut(self) -> None:
        """Cuts all connections."""
        for writer in list(self._writers):
            writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(_PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def relay(host: str, port: int) -> AsyncIterator[tuple[Relay, int]]:
    """Yields a relay, and the port of this machine that it listens on."""
    async with asyncio.TaskGroup() as group:
        one = Relay(host, port, group)
        listener = await asyncio.start_server(one.accept, "127.0.0.1", 0)
        async with listener:
            yield one, int(listener.sockets[0].getsockname()[1])
        one.cut()
