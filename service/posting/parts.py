"""Cuts a stream of multipart/form-data (RFC 7578) into its parts, and holds no more of it than one part."""

from collections.abc import Iterator
from dataclasses import dataclass

from multipart import MultipartError, MultipartSegment, PushMultipartParser

from service.http.bodies import BrokenBodyError


@dataclass(frozen=True, slots=True)
class FormPart:
    """A part. `number` counts from 1. `body` is None if it is too long.

    `name` is that of the file, None for a form field. `media_type` and `charset` are as its header says, if it does.
    """

    number: int
    name: str | None
    media_type: str | None
    charset: str | None
    body: bytes | None


class PartCutter:
    """The parts of a stream."""

    def __init__(self, boundary: str, limit_bytes: int) -> None:
        """Begins with nothing. A part of more than `limit_bytes` is too long."""
        self._parser = PushMultipartParser(boundary)
        self._limit_bytes = limit_bytes
        self._head: MultipartSegment | None = None
        self._begun: list[bytes] = []
        self._number = 1

    @property
    def number(self) -> int:
        """The number of the part that is being read."""
        return self._number

    def add(self, piece: bytes) -> Iterator[FormPart]:
        """Takes the next bytes of the stream, and yields the parts that they complete.

        Raises:
            BrokenBodyError: the stream is not multipart/form-data.
        """
        try:
            for event in self._parser.parse(piece) if piece else ():
                if isinstance(event, MultipartSegment):
                    self._head = event
                elif event is None:
                    yield self._finished_part()
                else:
                    self._begin(bytes(event))
        except MultipartError:
            raise BrokenBodyError from None

    def end(self) -> Iterator[FormPart]:
        """Yields nothing: a part ends with a boundary.

        Raises:
            BrokenBodyError: the last boundary is missing.
        """
        try:
            self._parser.close()
        except MultipartError:
            raise BrokenBodyError from None
        return iter(())

    def _begin(self, piece: bytes) -> None:
        if self._is_too_long():
            self._begun = []
        else:
            self._begun.append(piece)

    def _is_too_long(self) -> bool:
        return self._head is not None and self._head.bytes_received > self._limit_bytes

    def _finished_part(self) -> FormPart:
        head, body = self._head, None if self._is_too_long() else b"".join(self._begun)
        assert head is not None  # noqa: S101 - the parser tells of the head of each part first
        part = FormPart(self._number, head.filename, head.content_type, head.charset, body)
        self._head, self._begun = None, []
        self._number += 1
        return part
