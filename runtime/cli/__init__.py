"""The command line: `copydesk COMMAND`."""


def main() -> None:
    """Runs the command line."""
    # Each parser child imports the script that started its parent, and with it this module: it has to be light.
    from runtime.cli.app import run  # noqa: PLC0415

    run()
