"""Exit codes of every command."""

from enum import IntEnum


class Exit(IntEnum):
    """What a command's exit code says."""

    OK = 0
    SOME_FAILED = 1  # documents were refused, or came to nothing
    USAGE = 2  # wrong options, settings or files
    UNREACHABLE = 3  # no answer from the server or the broker
    STOPPED_EARLY = 4  # what was in hand was given back, not finished
    INTERRUPTED = 130
