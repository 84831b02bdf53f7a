"""Decodes content codings piece by piece with a limit, so that a decompression bomb is stopped while it streams."""

import sys
from collections.abc import Callable
from typing import Final, Protocol

import brotli  # type: ignore[import-untyped] # it has no stubs
from zlib_ng import zlib_ng as zlib  # a faster drop-in replacement

from contract.reasons import Reason
from workers.failures import Failed

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ACCEPT_ENCODING: Final = "gzip, deflate, br, zstd"

_ZSTD_WINDOW_LOG = 23  # RFC 9659: 8 MB at most in HTTP


class Decoder(Protocol):
    """Undoes one content coding (RFC 9110 section 8.4.1)."""

    def decode(self, data: bytes, max_bytes: int) -> bytes:
        """Returns the decoded `data`, cut off at `max_bytes` (1 or more). After a cut the decoder cannot be used."""
        ...

    @property
    def complete(self) -> bool:
        """True if the coded data is complete."""
        ...


def decoder_of(content_encoding: str) -> Decoder:
    """Returns a decoder for the value of a Content-Encoding header, which is empty if there is no header.

    Raises:
        Failed: BAD_ENCODING; not one of `ACCEPT_ENCODING`, or several on top of each other.
    """
    name = content_encoding.strip().lower()
    if name not in _DECODERS:
        raise Failed(Reason.BAD_ENCODING, f"content coding {name[:40]}")
    return _DECODERS[name]()


class Identity:
    """No coding."""

    complete = True

    def decode(self, data: bytes, max_bytes: int) -> bytes:
        """As in `Decoder`."""
        return data[:max_bytes] if len(data) > max_bytes else data


class Gzip:
    """Gzip of one or more members (RFC 1952). Data after the last one is ignored, as in browsers."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)

    @property
    def complete(self) -> bool:
        """As in `Decoder`."""
        return self._member.eof

    def decode(self, data: bytes, max_bytes: int) -> bytes:
        """As in `Decoder`."""
        decoded = self._decoded(data, max_bytes)
        while self._member.eof and self._member.unused_data.startswith(b"\x1f\x8b") and len(decoded) < max_bytes:
            rest = self._member.unused_data
            self._member = zlib.decompressobj(wbits=31)
            decoded += self._decoded(rest, max_bytes - len(decoded))
        return decoded

    def _decoded(self, data: bytes, max_bytes: int) -> bytes:
        if self._member.eof:
            return b""
        try:
            return self._member.decompress(data, max_bytes)
        except zlib.error:  # type: ignore[misc] # its stub takes the class for an instance
            raise _broken("gzip") from None


class Deflate:
    """Deflate in a zlib frame (RFC 9110 section 8.4.1.2), or bare as many servers send it."""

    def __init__(self) -> None:
        self._stream: zlib._Decompress | None = None

    @property
    def complete(self) -> bool:
        """As in `Decoder`."""
        return self._stream is not None and self._stream.eof

    def decode(self, data: bytes, max_bytes: int) -> bytes:
        """As in `Decoder`."""
        if self._stream is None:
            in_frame = data[:1] and data[0] & 0x0F == zlib.DEFLATED
            self._stream = zlib.decompressobj(wbits=zlib.MAX_WBITS if in_frame else -zlib.MAX_WBITS)
        try:
            return b"" if self._stream.eof else self._stream.decompress(data, max_bytes)
        except zlib.error:  # type: ignore[misc] # its stub takes the class for an instance
            raise _broken("deflate") from None


class Brotli:
    """Brotli (RFC 7932)."""

    def __init__(self) -> None:
        self._stream = brotli.Decompressor()

    @property
    def complete(self) -> bool:
        """As in `Decoder`."""
        return bool(self._stream.is_finished())

    def decode(self, data: bytes, max_bytes: int) -> bytes:
        """As in `Decoder`."""
        if self._stream.is_finished():
            return b""
        decoded = bytearray()
        try:
            decoded += self._stream.process(data, output_buffer_limit=max_bytes)
            while not self._stream.can_accept_more_data() and len(decoded) < max_bytes:
                decoded += self._stream.process(b"", output_buffer_limit=max_bytes - len(decoded))
        except brotli.error:
            raise _broken("br") from None
        return bytes(decoded[:max_bytes])  # the library may exceed the limit by a little


class Zstd:
    """Zstandard of one or more frames (RFC 8878), its window bounded (RFC 9659)."""

    def __init__(self) -> None:
        self._frame = _zstd_frame()

    @property
    def complete(self) -> bool:
        """As in `Decoder`."""
        return self._frame.eof

    def decode(self, data: bytes, max_bytes: int) -> bytes:
        """As in `Decoder`."""
        decoded = bytearray()
        try:
            while data and len(decoded) < max_bytes:
                if self._frame.eof:
                    self._frame = _zstd_frame()
                decoded += self._frame.decompress(data, max_bytes - len(decoded))
                data = self._frame.unused_data
        except zstd.ZstdError:
            raise _broken("zstd") from None
        return bytes(decoded)


def _zstd_frame() -> zstd.ZstdDecompressor:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG})


_DECODERS: dict[str, Callable[[], Decoder]] = {
    "": Identity,
    "identity": Identity,
    "gzip": Gzip,
    "x-gzip": Gzip,
    "deflate": Deflate,
    "br": Brotli,
    "zstd": Zstd,
}


def _broken(name: str) -> Failed:
    return Failed(Reason.BAD_ENCODING, f"the body is not what it is said to be: {name}")
