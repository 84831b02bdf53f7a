"""The command line: `copydesk COMMAND`.

Each module declares its commands at import, and `--help` imports all modules. A command imports what it needs (HTTP,
brokers, tables) only when it runs, which halves the time of `copydesk --help`.
"""

import gc


def main() -> None:
    """Runs the command line."""
    gc.disable()  # what is imported is never garbage: to look through it again and again takes a sixth of `--help`
    # Each parser child imports the script that started its parent, and so this module: it must load fast.
    from runtime.cli.app import run

    gc.collect()  # what is garbage now would otherwise stay for good
    gc.freeze()
    gc.enable()
    run()
