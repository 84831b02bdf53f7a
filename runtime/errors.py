"""What keeps Copydesk from starting, said in one line."""


class StartError(Exception):
    """Copydesk cannot start as asked; the message says why and what to do."""
