"""The folder of a backup."""

import hashlib
import os
from pathlib import Path

import orjson
from pydantic import ValidationError

from contract.codec import adapter
from runtime.backup.manifest import FORMAT, Manifest, SavedFile
from runtime.errors import StartError

BROKER_FILE = "copydesk.db"
LEDGER_FILE = "ledger.db"
DEFINITIONS_FILE = "definitions.json"
_MANIFEST = "manifest.json"


class BackupError(StartError):
    """A backup cannot be made, or not be restored."""


def record_file(stream: str) -> str:
    """Returns the name of the file with the entries of a record."""
    return f"{stream}.ndjson.zst"


def table_file(table: str) -> str:
    """Returns the name of the file with the rows of a table."""
    return f"ledger.{table}.copy.zst"


def prepare(folder: Path) -> None:
    """Creates the folder of a new backup; only its owner may read it.

    Raises:
        BackupError: it holds something, or cannot be created.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise BackupError(f"{folder} is not empty: name a new folder for each backup")
    except OSError as error:
        raise BackupError(f"the folder {folder} cannot be used: {error.strerror}") from None


def saved_files(folder: Path) -> dict[str, SavedFile]:
    """Returns size and checksum of each file in `folder`, when all of them are on the disk."""
    return {path.name: _saved(path) for path in sorted(folder.iterdir()) if path.name != _MANIFEST}


def finish(folder: Path, manifest: Manifest) -> None:
    """Writes the manifest, which makes the folder a backup."""
    path = folder / _MANIFEST
    path.write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    _sync(path)
    _sync(folder)


def opened(folder: Path) -> Manifest:
    """Returns the manifest of the backup in `folder`, after a look at every byte of it.

    Raises:
        BackupError: it is no backup, a later version made it, or a file is not what was saved.
    """
    try:
        content = (folder / _MANIFEST).read_bytes()
    except OSError as error:
        raise BackupError(f"{folder} holds no whole backup: {_MANIFEST}: {error.strerror}") from None
    manifest = _manifest(folder, content)
    for name, saved in manifest.files.items():
        path = folder / name
        if "/" in name or not path.is_file() or _saved(path) != saved:
            raise BackupError(f"{path} is missing, or not as it was saved: use another backup")
    return manifest


def _manifest(folder: Path, content: bytes) -> Manifest:
    try:
        written = orjson.loads(content)
        if written["format"] > FORMAT:
            raise BackupError(f"a later version of Copydesk made the backup in {folder}: restore it with that")
        manifest: Manifest = adapter(Manifest).validate_json(content)
    except (ValidationError, orjson.JSONDecodeError, LookupError, TypeError):
        raise BackupError(f"{folder / _MANIFEST} is not the manifest of a backup") from None
    return manifest


def _saved(path: Path) -> SavedFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    return SavedFile(bytes=path.stat().st_size, sha256=digest)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
