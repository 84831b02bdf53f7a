"""The error of a process that cannot start."""


class StartError(Exception):
    """Copydesk cannot start. The message is one line that says why and what to do."""
