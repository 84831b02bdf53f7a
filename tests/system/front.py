"""A load balancer: one address in front of a server, which may be another one after each kill."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from yarl import URL


@asynccontextmanager
async def front(server: Callable[[], str]) -> AsyncIterator[str]:
    """Yields a URL whose connections lead to the URL that `server` names when they begin."""
    writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        url = URL(server())
        writers.add(writer)
        with suppress(OSError):
            from_server, to_server = await asyncio.open_connection(url.host, url.port)
            writers.add(to_server)
            await asyncio.gather(_copy(reader, to_server), _copy(from_server, writer))
        writer.close()

    async with asyncio.TaskGroup() as group:
        listener = await asyncio.start_server(lambda *ends: group.create_task(serve(*ends)), "127.0.0.1", 0)
        async with listener:
            yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
            for writer in writers:
                writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copies until one side ends, and ends the other."""
    with suppress(OSError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    writer.close()
