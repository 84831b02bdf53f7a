"""HTTP as bytes: requests that no client library would send, and answers read strictly."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

PATIENCE_S = 60.0  # for an answer, or for the end of a connection, that must come; chosen for machines under load


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came: header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def problem(self) -> dict[str, Any]:
        """Returns the problem that the answer is, after checking what every problem promises (RFC 9457)."""
        assert self.headers["content-type"] == "application/problem+json", self
        content: dict[str, Any] = json.loads(self.body)
        assert content["status"] == self.status
        assert content["type"].startswith("/problems/")
        assert content["title"]
        assert content["detail"]
        return content


class Wire:
    """A connection that sends bytes as they are."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, port: int, *, buffer_bytes: int = 2**24) -> "Wire":
        """Connects. More than twice `buffer_bytes` is not taken before it is asked for."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=buffer_bytes))

    def send(self, *parts: bytes) -> None:
        for part in parts:
            self._writer.write(part)

    def finish(self) -> None:
        """Says that no more bytes come."""
        if self._writer.can_write_eof():
            self._writer.write_eof()

    async def answer(self, *, head: bool = False) -> Answer | None:
        """Returns the next answer, None where the connection ended instead.

        Raises:
            AssertionError: what came is no HTTP/1.1 answer.
        """
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self._read(head=head)
            except (asyncio.IncompleteReadError, ConnectionError):
                return None

    async def first_line(self) -> bytes:
        """Returns the first line of the next answer; nothing where the connection ended instead."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._reader.readline()

    async def ended(self, *, but_within_s: float = PATIENCE_S, after: bytes = b"\0") -> bytes:
        """Waits until the other side ends the connection, and returns the bytes that it sent.

        Once `after` has come the wait is over in `but_within_s` seconds, ended or not.
        """
        got = b""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while after not in got and (chunk := await self._reader.read(2**16)):
                    got += chunk
            async with asyncio.timeout(but_within_s):
                while chunk := await self._reader.read(2**16):
                    got += chunk
        except ConnectionError:
            return got
        except TimeoutError:
            if after not in got:
                raise
        finally:
            await self.close()
        return got

    async def close(self) -> None:
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return

    async def _read(self, *, head: bool) -> Answer:
        header = (await self._reader.readuntil(b"\r\n\r\n")).decode("ascii")
        first, *lines = header.removesuffix("\r\n\r\n").split("\r\n")
        version, status, _ = first.split(" ", 2)
        assert version in {"HTTP/1.1", "HTTP/1.0"}, first
        if status == "100":
            return await self._read(head=head)
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        assert len(headers) == len(lines), lines
        length = int(headers.get("content-length", 0))
        body = b"" if head else await self._reader.readexactly(length)
        return Answer(int(status), headers, body)


def request(
    target: str = "/", *headers: str, method: str = "GET", body: bytes = b"", host: str | None = "localhost"
) -> bytes:
    """Returns a well-formed request, with a length where there is a body."""
    fields = ([f"Host: {host}"] if host is not None else []) + list(headers)
    if body:
        fields.append(f"Content-Length: {len(body)}")
    return "\r\n".join([f"{method} {target} HTTP/1.1", *fields, "", ""]).encode("utf-8", "surrogateescape") + body


async def ask(port: int, *parts: bytes, head: bool = False) -> Answer | None:
    """Sends bytes on a new connection, and returns the answer."""
    wire = await Wire.to(port)
    try:
        wire.send(*parts)
        return await wire.answer(head=head)
    finally:
        await wire.close()
