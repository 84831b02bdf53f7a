"""Reads a request's body: bounded in time and size, decompressed here, because aiohttp takes cut-off gzip for whole."""

import asyncio
import sys
import zlib
from collections.abc import Mapping
from typing import Final

from aiohttp import hdrs, web

from contract.submission import Fault
from service import problems
from service.context import LIMITS
from service.problems import Problem, ProblemError

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
    decoder = Decoder(coding_of(request), limits.max_body_bytes)
    try:
        # A small body has come with its header: without a time to wait, no timer is set for it.
        async with asyncio.timeout(None if request.content.is_eof() else limits.body_timeout_s):
            async for chunk in request.content.iter_any():
                decoder.add(chunk)
        body = decoder.whole()
    except BodyTooLargeError:
        raise too_large("body", limits.max_body_bytes) from None
    except TimeoutError:
        raise ProblemError(Problem(problems.BODY_TIMEOUT, problems.BODY_TIMEOUT.meaning)) from None
    except (web.RequestPayloadError, BrokenBodyError):
        fault = Fault("body", "framing", "does not follow its Content-Encoding or Transfer-Encoding")
        raise ProblemError(Problem(problems.MALFORMED_BODY, "The body cannot be read.", [fault])) from None
    request[BODY_BYTES] = len(body)
    return body


def coding_of(request: web.Request) -> str:
    """Returns the content coding that the request names, in lower case: RFC 9110 compares it so."""
    return request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower()


class Decoder:
    """Collects a body of at most `limit_bytes` bytes, both as it was sent and as it is decoded."""

    def __init__(self, coding: str, limit_bytes: int) -> None:
        """Begins with nothing. `coding` is one of `CODINGS`."""
        self._coding = coding
        self._limit_bytes = limit_bytes
        self._sent_bytes = 0
        self._parts: list[bytes] = []
        self._decoded_bytes = 0
        self._stream: zlib._Decompress | zstd.ZstdDecompressor | None = None

    def add(self, chunk: bytes) -> None:
        """Takes the next bytes as they were sent.

        Raises:
            BodyTooLargeError: there are too many bytes.
            BrokenBodyError: they do not follow the coding.
        """
        self._sent_bytes += len(chunk)
        if self._sent_bytes > self._limit_bytes:
            raise BodyTooLargeError
        if self._coding == "identity":
            self._keep(chunk)
        else:
            self._decompress(chunk)

    def whole(self) -> bytes:
        """Returns the decoded body.

        Raises:
            BrokenBodyError: its end is missing.
        """
        if self._sent_bytes and self._coding != "identity" and not (self._stream and self._stream.eof):
            raise BrokenBodyError
        return b"".join(self._parts)

    def _decompress(self, chunk: bytes) -> None:
        while chunk:
            if self._stream is None or self._stream.eof:
                self._stream = self._next_member(chunk[0])
            try:
                # No more than one byte over the limit is asked for, at which `_keep` raises: all input is used up.
                self._keep(self._stream.decompress(chunk, self._limit_bytes + 1 - self._decoded_bytes))
            except (zlib.error, zstd.ZstdError):
                raise BrokenBodyError from None
            chunk = self._stream.unused_data

    def _next_member(self, first: int) -> "zlib._Decompress | zstd.ZstdDecompressor":
        """A gzip file is a series of members (RFC 1952, section 2.2), as zstd is of frames (RFC 8878, section 3)."""
        if self._coding == "gzip":
            return zlib.decompressobj(_GZIP)
        if self._coding == "zstd":
            return zstd.ZstdDecompressor(options=_ZSTD_WINDOW)
        if self._stream is not None:
            raise BrokenBodyError
        return zlib.decompressobj(_bits_of_deflate(first))

    def _keep(self, decoded: bytes) -> None:
        self._decoded_bytes += len(decoded)
        if self._decoded_bytes > self._limit_bytes:
            raise BodyTooLargeError
        self._parts.append(decoded)


def _bits_of_deflate(first: int) -> int:
    """Returns the format of a `deflate` body: zlib's (RFC 9110), or without header, as some clients send it."""
    return zlib.MAX_WBITS if first & 0xF == _ZLIB_METHOD else _RAW_DEFLATE


def too_large(what: str, limit_bytes: int) -> ProblemError:
    """Returns the problem of a body, or of what it becomes, with more than `limit_bytes`."""
    message = f"must have at most {limit_bytes} bytes"
    return ProblemError(
        Problem(problems.CONTENT_TOO_LARGE, f"The {what} {message}.", [Fault("body", "too_large", message)])
    )
