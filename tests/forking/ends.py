"""Ends in the way that its argument names."""

import atexit
import os
import signal
import sys
import threading
import time


def main() -> None:
    atexit.register(print, "the end")
    match sys.argv[1]:
        case "exception":
            raise ValueError("why")
        case "message":
            sys.exit("why")
        case "nothing":
            sys.exit()
        case "interrupt":
            raise KeyboardInterrupt
        case "signal":
            os.kill(os.getpid(), signal.SIGTERM)
        case "thread":
            threading.Thread(target=_print_later).start()
        case "no output":
            os.dup2(os.open("/dev/full", os.O_WRONLY), 1)


def _print_later() -> None:
    time.sleep(0.1)
    print("later")  # noqa: T201 - what this program is for


if __name__ == "__main__":
    main()
