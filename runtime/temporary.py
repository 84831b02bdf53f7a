"""An end to the temporary folders of processes that were killed.

Parser children are reached through a socket in a folder that multiprocessing makes. It takes the folder away when the
process ends, but not when SIGKILL ends it: each such life would leave one behind.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import util
from pathlib import Path

_FOLDERS = "pymp-*"  # as multiprocessing names them
_LOCK = "copydesk.lock"


@contextmanager
def marked_folder() -> Iterator[None]:
    """Marks multiprocessing's folder as this process's, and removes those of processes that are gone.

    The mark is a lock, which goes when the process does. So it tells who lives across containers and restarts, where
    process ids do not.
    """
    _remove_abandoned(Path(tempfile.gettempdir()))
    folder = Path(util.get_temp_dir())
    unseen = folder / f"{_LOCK}.new"
    with unseen.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        seen = unseen.rename(folder / _LOCK)  # nobody sees it before it is locked
        try:
            yield
        finally:
            seen.unlink(missing_ok=True)  # the folder is multiprocessing's to remove from here on


def _remove_abandoned(temporary: Path) -> None:
    for folder in temporary.glob(_FOLDERS):
        with suppress(OSError):  # not ours, in use, or gone already
            if folder.lstat().st_uid == os.getuid() and not folder.is_symlink():
                _remove_unless_held(folder)


def _remove_unless_held(folder: Path) -> None:
    with (folder / _LOCK).open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
