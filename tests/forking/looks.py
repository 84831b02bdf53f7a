"""Prints what a program can find out about its own process, as JSON. At its end it prints one more line."""

import atexit
import json
import os
import resource
import signal
import sys
import tempfile
from pathlib import Path


def main() -> None:
    atexit.register(print, "the end")
    streams = {name: getattr(sys, name) for name in ("stdin", "stdout", "stderr")}
    main_module = sys.modules["__main__"]
    seen = {
        "arguments": sys.argv,
        "path": sys.path,
        "folder": str(Path.cwd()),
        "environment": dict(os.environ),
        "temporary": tempfile.gettempdir(),
        "main": [main_module.__name__, main_module.__file__],
        "files": sorted(int(path.name) for path in Path("/proc/self/fd").iterdir() if path.exists()),
        "limits": resource.getrlimit(resource.RLIMIT_NOFILE),
        "session": [os.getsid(0), os.getpgid(0)],
        "signals": {
            str(number): str(signal.getsignal(number)).partition(" at ")[0] for number in signal.valid_signals()
        },
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "streams": {
            name: [stream.encoding, stream.errors, stream.line_buffering, stream.write_through, stream.isatty()]
            for name, stream in streams.items()
        },
    }
    print(json.dumps(seen))  # noqa: T201 - what this program is for
    print("words", file=sys.stderr)  # noqa: T201
    sys.exit(len(sys.stdin.read()))


if __name__ == "__main__":
    main()
