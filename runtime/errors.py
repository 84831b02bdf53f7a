"""Errors at the start, each with a message of one line."""


class StartError(Exception):
    """Copydesk cannot start. The message says why, and what to do."""
