"""The process that parser children are forked from: it loads once what all of them need."""

import multiprocessing
import os
from collections.abc import Sequence
from multiprocessing import forkserver


def start(modules: Sequence[str]) -> None:
    """Starts the fork server if it does not run, and returns while it still loads `modules`."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # else numpy reserves memory for a thread a core in each child
    multiprocessing.set_forkserver_preload(["workers.children.child", *modules])
    forkserver.ensure_running()
