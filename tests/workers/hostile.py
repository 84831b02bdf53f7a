"""Tasks for parser children that behave like harmful documents. Children import only this module."""

import ctypes
import itertools
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from contract.article import Source
from contract.reasons import Reason
from workers.document import Metadata, Sourced
from workers.failures import Failed

_hoard: list[bytes] = []


@dataclass(frozen=True, slots=True)
class Act:
    """The name of a task, and its argument."""

    name: str
    argument: str = ""


def obey(act: Act) -> object:
    return globals()[act.name](act.argument)


def shout(text: str) -> str:
    return text.upper()


def pid(_: str) -> int:
    return os.getpid()


def spin(_: str) -> None:
    while True:
        pass


def hang_in_c(_: str) -> None:
    """Holds the interpreter's lock, so that no signal handler runs."""
    sum(itertools.repeat(0))


def hang(_: str) -> None:
    time.sleep(3600)


def hang_telling(path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    time.sleep(3600)


def touch(path: str) -> None:
    Path(path).touch()


def take_s(seconds: str) -> None:
    time.sleep(float(seconds))


def wait_for_other(paths: str) -> bool:
    """Returns when another child has reached this point, too: never, if documents run one by one."""
    mine, other = paths.split("|")
    Path(mine).touch()
    while not Path(other).exists():
        time.sleep(0.01)
    return True


def allocate(_: str) -> None:
    chunks = []
    while True:
        chunks.append(b"x" * 1_000_000)


def hoard(_: str) -> None:
    while True:
        _hoard.append(os.urandom(256))


def overreach(_: str) -> int:
    return len(bytes(1 << 40))


def swallow_memory_error(_: str) -> None:
    """Returns nothing when memory runs out, as trafilatura does."""
    try:
        allocate("")
    except MemoryError:
        raise Failed(Reason.NO_ARTICLE, "nothing found") from None


def fill_nearly(mebibytes: str) -> int:
    return len(b"x" * (int(mebibytes) * 1024**2))


def exit_at_once(code: str) -> None:
    os._exit(int(code))


def exit_politely(_: str) -> None:
    sys.exit(3)


def kill_self(_: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def segfault(_: str) -> None:
    ctypes.string_at(0)


def refuse(detail: str) -> None:
    metadata = Metadata(title=Sourced("A title", Source.META))
    raise Failed(Reason.NO_ARTICLE, detail, retry_after_s=7.0, metadata=metadata)


def stumble(text: str) -> None:
    raise ValueError(text)


def recurse(text: str) -> None:
    recurse(text)


def give_unpicklable(_: str) -> object:
    return lambda: None


def give_unpicklable_late(_: str) -> object:
    value: list[object] = []
    for _level in range(100_000):
        value = [value]
    return value


def give_much(megabytes: str) -> bytes:
    return b"x" * (int(megabytes) * 1_000_000)


def slow_shout(text: str) -> str:
    time.sleep(0.02)
    return text.upper()
