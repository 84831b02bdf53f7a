"""Copies a SQLite file while processes read and write it: https://sqlite.org/backup.html."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from runtime.backup.folder import BackupError


def copy(source: Path, target: Path) -> None:
    """Copies the database `source`, as it is at one moment, to the new file `target`.

    Raises:
        BackupError: one of them cannot be used.
    """
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as read,
            closing(sqlite3.connect(target)) as written,
        ):
            read.backup(written)
            written.execute("PRAGMA journal_mode = DELETE")  # all of it in one file
    except sqlite3.Error as error:
        raise BackupError(f"{source} cannot be copied to {target}: {error}") from None


def put_in_place(source: Path, target: Path) -> None:
    """Copies the file `source` to `target`, where nothing is, whole or not at all.

    Raises:
        BackupError: it cannot be written.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        copy(source, part)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {error.strerror}") from None
