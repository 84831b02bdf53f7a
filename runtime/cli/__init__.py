"""The command line: `copydesk COMMAND`.

Each module declares its commands when it is imported, which `--help` does with all of them. What a command runs with
(HTTP, brokers, tables for people) it imports when it runs: `copydesk --help` answers in half the time.
"""


def main() -> None:
    """Runs the command line."""
    # Each parser child imports the script that started its parent, and with it this module: it has to be light.
    from runtime.cli.app import run

    run()
