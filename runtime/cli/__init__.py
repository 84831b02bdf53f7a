"""The command line: `copydesk COMMAND`.

Each module declares its commands at import, and `--help` imports all modules. A command imports what it needs (HTTP,
brokers, tables) only when it runs, which halves the time of `copydesk --help`.
"""


def main() -> None:
    """Runs the command line."""
    # Each parser child imports the script that started its parent, and so this module: it must load fast.
    from runtime.cli.app import run

    run()
