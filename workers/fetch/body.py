"""The body of an answer, read within the limits."""

from contextlib import suppress
from dataclasses import dataclass

from aiohttp import ClientResponse

from contract.reasons import Reason
from workers.failures import Failed
from workers.fetch.coding import Decoder, Identity, decoder_of
from workers.fetch.errors import FOREIGN, Deadline
from workers.fetch.limits import FetchLimits

_NEVER = Deadline()


@dataclass(frozen=True, slots=True)
class Body:
    """A body without its content coding. `transferred_bytes` is its size as it was sent."""

    content: bytes
    transferred_bytes: int


async def read_body(response: ClientResponse, limits: FetchLimits, deadline: Deadline) -> Body:
    """Returns the whole body of `response`.

    Raises:
        Failed: TOO_LARGE, DECOMPRESSED_TOO_LARGE, IDLE_TIMEOUT, FETCH_TIMEOUT; BAD_ENCODING; INCOMPLETE_BODY, the coded
            data ends early. Whoever opened the response closes it.
    """
    transferred_bytes = 0
    _check_transfer(response.content_length or 0, limits)
    decoder = decoder_of(response.headers.get("Content-Encoding", ""))
    parts: list[bytes] = []
    left_bytes = limits.max_body_bytes
    while chunk := await _chunk(response, limits, deadline):
        transferred_bytes += len(chunk)
        _check_transfer(transferred_bytes, limits)
        parts.append(_decoded(decoder, chunk, left_bytes, limits))
        left_bytes -= len(parts[-1])
    if transferred_bytes and not decoder.complete:
        raise Failed(Reason.INCOMPLETE_BODY, "the compressed data ends early")
    return Body(b"".join(parts), transferred_bytes)


async def read_start(
    response: ClientResponse, limits: FetchLimits, max_bytes: int, deadline: Deadline = _NEVER
) -> bytes:
    """Returns what can be had of the first `max_bytes` of a body: it may be shorter, break off, or be badly coded."""
    content = bytearray()
    with suppress(Failed, *FOREIGN):
        decoder = decoder_of(response.headers.get("Content-Encoding", ""))
        while len(content) < max_bytes and (chunk := await _chunk(response, limits, deadline)):
            content += decoder.decode(chunk, max_bytes - len(content))
    return bytes(content)


async def _chunk(response: ClientResponse, limits: FetchLimits, deadline: Deadline) -> bytes:
    """Returns what has come, or comes next; nothing at the end."""
    if (chunk := response.content.read_nowait()) or response.content.at_eof():
        return chunk
    limit_s = limits.idle_timeout_s
    async with deadline.within(limit_s, Reason.IDLE_TIMEOUT, f"nothing more came within {limit_s:g} s"):
        return await response.content.readany()


def _check_transfer(size: int, limits: FetchLimits) -> None:
    if size > limits.max_transfer_bytes:
        raise Failed(Reason.TOO_LARGE, f"more than {limits.max_transfer_bytes} bytes")


def _decoded(decoder: Decoder, chunk: bytes, left_bytes: int, limits: FetchLimits) -> bytes:
    decoded = decoder.decode(chunk, left_bytes + 1)
    if len(decoded) > left_bytes:
        reason = Reason.TOO_LARGE if isinstance(decoder, Identity) else Reason.DECOMPRESSED_TOO_LARGE
        raise Failed(reason, f"more than {limits.max_body_bytes} bytes")
    return decoded
