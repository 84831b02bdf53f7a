"""Files that are compressed with zstd."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_LEVEL = 3  # zstd's own default; see `runtime.ledger.batch`


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """Yields a new file to write to. It is whole when the context ends."""
    with zstd.open(path, "wb", level=_LEVEL) as file:
        yield cast("BinaryIO", file)
    if not path.stat().st_size:  # without a frame it could not be read
        path.write_bytes(zstd.compress(b""))


@contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """Yields a file to read from."""
    with zstd.open(path, "rb") as file:
        yield cast("BinaryIO", file)
