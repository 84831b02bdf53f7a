"""Reads a request's body: bounded in time and size, decompressed here, because aiohttp takes cut-off gzip for whole."""

import asyncio
import sys
import zlib
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import Final

from aiohttp import hdrs, web

from contract.faults import Fault
from service import problems
from service.context import LIMITS
from service.refusals import Problem, ProblemError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CODINGS: Final = ("gzip", "zstd", "deflate", "identity")
"""The content codings that are taken."""

_GZIP: Final = zlib.MAX_WBITS | 16  # zlib's manual: 16 more for the gzip format
_RAW_DEFLATE: Final = -zlib.MAX_WBITS  # zlib's manual: negative for no header
_ZSTD_WINDOW: Final[Mapping[int, int]] = {
    zstd.DecompressionParameter.window_log_max: 23
}  # RFC 9659: 8 MB at most in HTTP
_PIECE_BYTES: Final = 256 * 1024  # decompressed at once; chosen: a small part of the largest document
_ZLIB_METHOD: Final = 8  # RFC 1950: the lower half of the first byte


BODY_BYTES = web.RequestKey("BODY_BYTES", int)
"""The size of the body that was read, decompressed."""


class BrokenBodyError(Exception):
    """The body does not follow its Content-Encoding."""


class BodyTooLargeError(Exception):
    """The body has more bytes than are taken."""


async def read_body(request: web.Request) -> bytes:
    """Returns the whole body, decompressed.

    Raises:
        ProblemError: the body is too large, takes too long, or is broken.
    """
    limits = request.app[LIMITS]
    if (request.content_length or 0) > limits.max_body_bytes:
        raise too_large("body", limits.max_body_bytes)
    try:
        # A small body has come with its header: without a time to wait, no timer is set for it.
        async with asyncio.timeout(None if request.content.is_eof() else limits.body_timeout_s):
            body = await _read_within(request, limits.max_body_bytes)
    except BodyTooLargeError:
        raise too_large("body", limits.max_body_bytes) from None
    except TimeoutError:
        raise ProblemError(Problem(problems.BODY_TIMEOUT, problems.BODY_TIMEOUT.meaning)) from None
    except (web.RequestPayloadError, BrokenBodyError):
        raise ProblemError(broken()) from None
    request[BODY_BYTES] = len(body)
    return body


async def _read_within(request: web.Request, limit_bytes: int) -> bytes:
    """Returns a body of at most `limit_bytes` bytes, both as it is sent and as it is decoded."""
    inflater, parts, left, left_sent = Inflater(coding_of(request)), list[bytes](), limit_bytes, limit_bytes
    async for chunk in request.content.iter_any():
        left_sent -= len(chunk)
        for piece in inflater.pieces(chunk):
            left -= len(piece)
            if min(left, left_sent) < 0:
                raise BodyTooLargeError
            parts.append(piece)
    inflater.end()
    return b"".join(parts)


async def read_pieces(request: web.Request) -> AsyncGenerator[bytes, None]:
    """Yields the body, decompressed, as it arrives: pieces of at most some 256 KiB.

    Raises:
        BrokenBodyError: it does not follow its Content-Encoding or Transfer-Encoding.
    """
    inflater = Inflater(coding_of(request))
    try:
        async for chunk in request.content.iter_any():
            for piece in inflater.pieces(chunk):
                yield piece
    except web.RequestPayloadError:
        raise BrokenBodyError from None
    inflater.end()


def broken(more: str = "") -> Problem:
    """Returns the problem of a body that ends early, or is coded wrongly. `more`: what else may be wrong."""
    message = f"does not follow its Content-Encoding or Transfer-Encoding {more}".rstrip()
    fault = Fault("body", "framing", message)
    return Problem(problems.MALFORMED_BODY, "The body cannot be read.", [fault])


def coding_of(request: web.Request) -> str:
    """Returns the content coding that the request names, in lower case: RFC 9110 compares it so."""
    return request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower()


class Inflater:
    """Decodes a body of any length, a piece at a time. `coding` is one of `CODINGS`."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._stream: zlib._Decompress | zstd.ZstdDecompressor | None = None

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """Yields what the next bytes of the body are decoded to, each piece of at most `_PIECE_BYTES` if it is coded.

        Raises:
            BrokenBodyError: they do not follow the coding.
        """
        if self._coding == "identity":
            yield chunk
            return
        while chunk:
            if self._stream is None or self._stream.eof:
                self._stream = self._next_member(chunk[0])
            yield from self._inflated(self._stream, chunk)
            chunk = self._stream.unused_data

    def end(self) -> None:
        """Returns where the body may end.

        Raises:
            BrokenBodyError: its end is missing.
        """
        if self._stream is not None and not self._stream.eof:
            raise BrokenBodyError

    def _inflated(self, stream: "zlib._Decompress | zstd.ZstdDecompressor", chunk: bytes) -> Iterator[bytes]:
        piece = b""
        while (chunk or len(piece) == _PIECE_BYTES) and not stream.eof:
            try:
                piece = stream.decompress(chunk, _PIECE_BYTES)
            except (zlib.error, zstd.ZstdError):
                raise BrokenBodyError from None
            # What a piece has no room for zlib gives back, and zstd keeps.
            chunk = b"" if isinstance(stream, zstd.ZstdDecompressor) else stream.unconsumed_tail
            yield piece

    def _next_member(self, first: int) -> "zlib._Decompress | zstd.ZstdDecompressor":
        """A gzip file is a series of members (RFC 1952, section 2.2), as zstd is of frames (RFC 8878, section 3)."""
        if self._coding == "gzip":
            return zlib.decompressobj(_GZIP)
        if self._coding == "zstd":
            return zstd.ZstdDecompressor(options=_ZSTD_WINDOW)
        if self._stream is not None:
            raise BrokenBodyError
        return zlib.decompressobj(_bits_of_deflate(first))


def _bits_of_deflate(first: int) -> int:
    """Returns the format of a `deflate` body: zlib's (RFC 9110), or without header, as some clients send it."""
    return zlib.MAX_WBITS if first & 0xF == _ZLIB_METHOD else _RAW_DEFLATE


def too_large(what: str, limit_bytes: int) -> ProblemError:
    """Returns the problem of a body, or of what it becomes, with more than `limit_bytes`."""
    message = f"must have at most {limit_bytes} bytes"
    return ProblemError(
        Problem(problems.CONTENT_TOO_LARGE, f"The {what} {message}.", [Fault("body", "too_large", message)])
    )
