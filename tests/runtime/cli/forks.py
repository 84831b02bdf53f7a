"""Runs many commands, each in a fork of this process, so that the code is loaded only once.

Reads a JSON list from standard input, `{"arguments": [..], "settings": {..}}` each, and writes what became of them.
"""

import json
import os
import select
import signal
import sys
import tempfile
import traceback
from typing import Any

from runtime import extraction, wiring, working  # noqa: F401 - what commands load when they run
from runtime.cli.app import run

TIMEOUT_S = 20.0


def main() -> None:
    json.dump([outcome(case["arguments"], case["settings"]) for case in json.load(sys.stdin)], sys.stdout)


def outcome(arguments: list[str], settings: dict[str, str]) -> dict[str, Any]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            become(arguments, settings, out.fileno(), err.fileno())
        ended = os.pidfd_open(child)
        in_time = bool(select.select([ended], [], [], TIMEOUT_S)[0])
        if not in_time:
            os.kill(child, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.close(ended)
        return {"code": code if in_time else None, "out": whole(out), "err": whole(err)}


def become(arguments: list[str], settings: dict[str, str], out: int, err: int) -> None:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.environ.update(settings)
    sys.argv = ["copydesk", *arguments]
    code = 70
    try:
        run()
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:  # noqa: BLE001 - what Python itself does at the end of a process
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def whole(file: Any) -> str:  # noqa: ANN401 - a temporary file
    file.seek(0)
    return str(file.read().decode(errors="replace"))


if __name__ == "__main__":
    main()
