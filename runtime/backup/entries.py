"""The entries of a record in a file: a line of JSON each, compressed with zstd.

A line has `offset`, `key` (the routing key), and the entry's bytes: as `body` where they are UTF-8, else as `base64`.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import orjson

from contract.broker import LogEntry
from runtime.backup.manifest import SavedRecord
from runtime.compressed import reading


class EntryWriter:
    """Writes entries to a file, and knows which."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._entries = 0
        self._first: int | None = None
        self._last: int | None = None

    def add(self, entry: LogEntry) -> None:
        """Writes the entry that follows."""
        self._file.write(_line(entry))
        self._entries += 1
        self._first = entry.offset if self._first is None else self._first
        self._last = entry.offset

    @property
    def saved(self) -> SavedRecord:
        """What was written."""
        return SavedRecord(entries=self._entries, first=self._first, last=self._last)


def read(path: Path) -> Iterator[LogEntry]:
    """Yields the entries of a compressed file that `EntryWriter` wrote."""
    with reading(path) as file:
        for line in file:
            written = orjson.loads(line)
            body = written["body"].encode() if "body" in written else b64decode(written["base64"])
            yield LogEntry(written["offset"], written["key"], body)


def _line(entry: LogEntry) -> bytes:
    line: dict[str, object] = {"offset": entry.offset, "key": entry.routing_key}
    try:
        line["body"] = entry.body.decode()
    except UnicodeDecodeError:  # another program may write to the broker
        line["base64"] = b64encode(entry.body).decode()
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
