"""Commands at a pseudo-terminal, and in pipes whose reader goes away."""

import os
import pty
import subprocess
import termios
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from tests.forking.command import COPYDESK, start

TIMEOUT_S = 60


@dataclass(frozen=True)
class Shown:
    """A command's exit code and output: to the terminal, and to standard output if that was redirected."""

    code: int
    terminal: str
    data: str = ""


def environment(settings: dict[str, str] | None = None) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
    return clean | {"TERM": "xterm-256color"} | (settings or {})


def at_terminal(*arguments: str, columns: int = 80, into: BinaryIO | None = None, stdin: bytes = b"") -> Shown:
    """Runs a command at a terminal so many columns wide; its standard output leads `into` a file where one is given."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    command = [COPYDESK, *arguments]
    output = theirs if into is None else into
    with start(command, env=environment(), stdin=subprocess.PIPE, stdout=output, stderr=theirs) as process:
        os.close(theirs)
        assert process.stdin is not None
        process.stdin.write(stdin)
        process.stdin.close()
        terminal = b"".join(iter(lambda: _read(ours), b""))
        code = process.wait(timeout=TIMEOUT_S)
    os.close(ours)
    if into is None:
        return Shown(code, terminal.decode())
    into.seek(0)
    return Shown(code, terminal.decode(), into.read().decode())


def _read(descriptor: int) -> bytes:
    with suppress(OSError):  # what Linux says at the end of a terminal
        return os.read(descriptor, 65536)
    return b""


def into_closed_pipe(arguments: Sequence[str], *, stdin: bytes = b"", lines: int = 0) -> tuple[int, str]:
    """Runs a command whose reader closes the pipe after some lines; returns its exit code and its standard error."""
    read, write = os.pipe()
    process = start(
        [COPYDESK, *arguments], env=environment(), stdin=subprocess.PIPE, stdout=write, stderr=subprocess.PIPE
    )
    os.close(write)
    with os.fdopen(read, "rb") as reader:
        for _ in range(lines):
            assert reader.readline()
    _, complaint = process.communicate(stdin, timeout=TIMEOUT_S)
    return process.returncode, complaint.decode()
