"""Exit codes of every command."""

from enum import IntEnum


class Exit(IntEnum):
    """What a command's exit code says."""

    OK = 0
    SOME_FAILED = 1  # documents were refused, or came to nothing
    USAGE = 2  # wrong options, settings or files
    UNREACHABLE = 3  # no answer from the server or the broker, for as long as the command waits
    STOPPED_EARLY = 4  # what was in hand was given back, not finished; or the output could not be written
    INTERRUPTED = 130  # 128 and the number of SIGINT, as shells have it
    CLOSED_PIPE = 141  # 128 and the number of SIGPIPE: nobody reads the output any more
