"""The process that parser children are forked from. It loads the modules that all of them need once."""

import multiprocessing
import os
from collections.abc import Sequence
from multiprocessing import forkserver


def start(modules: Sequence[str]) -> None:
    """Starts the fork server if it does not run. Returns while the server still loads `modules`."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # otherwise numpy reserves memory for a thread on each core
    multiprocessing.set_forkserver_preload(["workers.children.child", *modules])
    forkserver.ensure_running()
