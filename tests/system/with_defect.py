"""A worker with a defect: it fails at each document with an error that nobody expects. Takes copydesk's arguments."""

from typing import Any

from runtime import cli
from workers.children.pool import ParserPool


async def run(*_: Any, **__: Any) -> None:  # noqa: ANN401 - as the method that it replaces has them
    raise ZeroDivisionError


if __name__ == "__main__":
    setattr(ParserPool, "run", run)  # noqa: B010 - a method with another type
    cli.main()
