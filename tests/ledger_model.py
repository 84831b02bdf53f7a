"""The file of an empty ledger on SQLite, to be copied: to make its tables takes longer than most tests."""

import asyncio
import tempfile
from functools import cache
from pathlib import Path

from runtime.ledger import schema
from runtime.ledger.database import ledger_url


@cache
def empty_ledger() -> bytes:
    """Returns the content of the file. It runs an event loop of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        asyncio.run(schema.upgrade(ledger_url(f"sqlite:///{path}")))
        assert [file.name for file in path.parent.iterdir()] == [path.name], "all of it is in one file"
        return path.read_bytes()
