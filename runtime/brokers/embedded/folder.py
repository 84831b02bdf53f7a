"""The data folder: one process at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from runtime.errors import StartError

_LOCK = "copydesk.lock"


class FolderError(StartError):
    """The data folder cannot be used."""


class FolderInUseError(FolderError):
    """Another process runs on this data folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"the data folder {folder} is in use by another Copydesk process")
        self.folder = folder


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Creates `folder` if it is missing, and locks it for this process. The lock ends with the process.

    Raises:
        FolderInUseError: another process holds it.
        FolderError: it cannot be created or written.
    """
    with _opened(folder) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderInUseError(folder) from None
        yield


def _opened(folder: Path) -> TextIO:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return (folder / _LOCK).open("w")
    except OSError as error:
        raise FolderError(f"the data folder {folder} cannot be used: {error.strerror}") from None
