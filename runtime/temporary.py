"""Removes the temporary folders of processes that were killed.

multiprocessing creates a folder with the socket of the fork server. It removes the folder when the process ends, but
not after SIGKILL: each killed process would leave a folder behind.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import util
from pathlib import Path

_FOLDERS = "pymp-*"  # the names that multiprocessing gives them
_LOCK = "copydesk.lock"


@contextmanager
def marked_folder() -> Iterator[None]:
    """Locks multiprocessing's folder for this process, and removes the folders of processes that are gone.

    The kernel releases the lock when the process ends. Unlike process ids, locks work across containers and restarts.
    """
    _remove_abandoned(Path(tempfile.gettempdir()))
    folder = Path(util.get_temp_dir())
    unseen = folder / f"{_LOCK}.new"
    with unseen.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        seen = unseen.rename(folder / _LOCK)  # other processes see it only after it is locked
        try:
            yield
        finally:
            seen.unlink(missing_ok=True)  # multiprocessing removes the folder itself


def _remove_abandoned(temporary: Path) -> None:
    for folder in temporary.glob(_FOLDERS):
        with suppress(OSError):  # not ours, in use, or gone already
            if folder.lstat().st_uid == os.getuid() and not folder.is_symlink():
                _remove_unless_held(folder)


def _remove_unless_held(folder: Path) -> None:
    with (folder / _LOCK).open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
