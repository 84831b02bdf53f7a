"""Reads the body of an answer within the limits."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from aiohttp import ClientResponse

from contract.capacity import UNBOUNDED, Reservation
from contract.reasons import Reason
from workers.failures import Failed
from workers.fetch.coding import Decoder, Identity, decoder_of
from workers.fetch.errors import FOREIGN
from workers.fetch.limits import FetchLimits
from workers.fetch.timeouts import Timeouts


@dataclass(slots=True)
class Transfer:
    """The bytes of a body so far: as they were sent, and decoded."""

    transferred_bytes: int = 0
    size: int = 0


async def read_body(
    response: ClientResponse,
    limits: FetchLimits,
    timeouts: Timeouts,
    transfer: Transfer,
    reservation: Reservation = UNBOUNDED,
) -> bytes:
    """Returns the whole body of `response`, decoded. `transfer` and `reservation` count its bytes as they come.

    Raises:
        Failed: TOO_LARGE, DECOMPRESSED_TOO_LARGE, IDLE_TIMEOUT, FETCH_TIMEOUT; BAD_ENCODING; INCOMPLETE_BODY, the coded
            data ends early. The caller closes the response.
        NoRoom: the worker holds too much.
    """
    _check_transfer(response.content_length or 0, limits)
    decoder = decoder_of(response.headers.get("Content-Encoding", ""))
    parts: list[bytes] = []
    content = response.content
    while chunk := content.read_nowait() or await _next_chunk(response, limits, timeouts):
        transfer.transferred_bytes += len(chunk)
        _check_transfer(transfer.transferred_bytes, limits)
        part = decoder.decode(chunk, limits.max_body_bytes - transfer.size + 1)
        transfer.size += len(part)
        _check_size(transfer.size, decoder, limits)
        if not reservation.take_now(len(part)):
            timeouts.left_s(limits.total_timeout_s)  # the server is not to blame for this wait
            await reservation.take(len(part))
        parts.append(part)
    if transfer.transferred_bytes and not decoder.complete:
        raise Failed(Reason.INCOMPLETE_BODY, "the compressed data ends early")
    return b"".join(parts)


async def read_start(response: ClientResponse, limits: FetchLimits, max_bytes: int, timeouts: Timeouts) -> bytes:
    """Returns up to `max_bytes` of the start of a body, decoded: fewer if it ends, breaks off or cannot be decoded.

    It takes at most `idle_timeout_s`.
    """
    content = bytearray()
    with suppress(Failed, *FOREIGN):  # TimeoutError is an OSError
        decoder = decoder_of(response.headers.get("Content-Encoding", ""))
        async with asyncio.timeout(timeouts.left_s(limits.idle_timeout_s)):
            while len(content) < max_bytes and (chunk := await response.content.readany()):
                content += decoder.decode(chunk, max_bytes - len(content))
    return bytes(content)


async def _next_chunk(response: ClientResponse, limits: FetchLimits, timeouts: Timeouts) -> bytes:
    """Returns the next bytes, none at the end."""
    if response.content.at_eof():
        return b""
    timeouts.expect(limits.idle_timeout_s, Reason.IDLE_TIMEOUT, f"nothing more came within {limits.idle_timeout_s:g} s")
    return await response.content.readany()


def _check_transfer(transferred_bytes: int, limits: FetchLimits) -> None:
    if transferred_bytes > limits.max_transfer_bytes:
        raise Failed(Reason.TOO_LARGE, f"more than {limits.max_transfer_bytes} bytes")


def _check_size(size: int, decoder: Decoder, limits: FetchLimits) -> None:
    if size > limits.max_body_bytes:
        reason = Reason.TOO_LARGE if isinstance(decoder, Identity) else Reason.DECOMPRESSED_TOO_LARGE
        raise Failed(reason, f"more than {limits.max_body_bytes} bytes")
