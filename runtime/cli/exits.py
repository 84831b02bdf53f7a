"""Exit codes of every command."""

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes."""

    OK = 0
    SOME_FAILED = 1  # some documents were refused or failed
    USAGE = 2  # wrong options, settings or files
    UNREACHABLE = 3  # the server or the broker did not answer in the time that the command waits
    STOPPED_EARLY = 4  # work in progress was given back unfinished, or the output could not be written
    INTERRUPTED = 130  # 128 plus the number of SIGINT, as shells do
    CLOSED_PIPE = 141  # 128 plus the number of SIGPIPE: the reader of the output has closed it
