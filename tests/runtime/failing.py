"""A process that fails while a secret is in a variable and in a message.

Usage: python -m tests.runtime.failing WAY LOG-FORMAT SECRET [no-rich]

WAY is the name of a function here. The secret is in a variable and in a message.
"""

import asyncio
import gc
import importlib
import logging
import sys
import threading
import warnings
from collections.abc import Callable

import structlog

from runtime import logs, settings

log = structlog.get_logger()
library = logging.getLogger("aiohttp.server")


def fail(secret: str) -> None:
    kept = {"authorization": secret}
    raise ValueError(f"no {kept['authorization']}")


async def fail_in_a_task(secret: str) -> None:
    fail(secret)


def logged(secret: str) -> None:
    try:
        fail(secret)
    except ValueError:
        log.exception("it_failed", error="ValueError")


def caused(secret: str) -> None:
    try:
        try:
            fail(secret)
        except ValueError as error:
            raise RuntimeError(secret) from error
    except RuntimeError as error:
        log.error("it_failed", exc_info=error)  # noqa: TRY400 - this way, too


def grouped(secret: str) -> None:
    try:
        raise ExceptionGroup(  # noqa: TRY301 - short
            secret, [ValueError(secret), ExceptionGroup(secret, [KeyError(secret)])]
        )
    except ExceptionGroup:
        log.exception("it_failed")


def noted(secret: str) -> None:
    try:
        fail(secret)
    except ValueError as error:
        error.add_note(secret)
        log.exception("it_failed")


def library_error(secret: str) -> None:
    try:
        fail(secret)
    except ValueError:
        library.exception("Error handling request from %s", secret)


def library_text(secret: str) -> None:
    library.warning(f"cannot read {secret}")


def library_values(secret: str) -> None:
    library.error("cannot read %s", secret)


def library_that_cannot_format(secret: str) -> None:
    library.error("cannot read %d", secret)


def library_with_a_level_of_its_own(secret: str) -> None:
    library.log(35, "cannot read %s", secret)


def forgotten_task(secret: str) -> None:
    async def main() -> None:
        task = asyncio.create_task(fail_in_a_task(secret), name=secret)
        await asyncio.wait([task])
        del task
        gc.collect()

    asyncio.run(main())


def callback(secret: str) -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_soon(fail, secret)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(main())


def thread(secret: str) -> None:
    failing = threading.Thread(target=fail, args=[secret], name=secret)
    failing.start()
    failing.join()


def finaliser(secret: str) -> None:
    class Odd:
        def __repr__(self) -> str:
            return secret

        def __del__(self) -> None:
            fail(secret)

    Odd()
    gc.collect()


def warning(secret: str) -> None:
    warnings.simplefilter("always")
    warnings.warn(f"odd: {secret}", stacklevel=1)


def crash(secret: str) -> None:
    fail(secret)


def crash_of_the_loop(secret: str) -> None:
    asyncio.run(fail_in_a_task(secret))


def syntax(secret: str) -> None:
    compile(f"a = ({secret!r} b", secret, "exec")


def recursion(secret: str) -> str:
    return recursion(secret) + secret


WAYS: tuple[Callable[[str], object], ...] = (
    *(logged, caused, grouped, noted),
    *(library_error, library_text, library_values, library_that_cannot_format, library_with_a_level_of_its_own),
    *(forgotten_task, callback, thread, finaliser, warning, crash, crash_of_the_loop, syntax, recursion),
)


def main() -> None:
    """Lets go wrong what the command line says."""
    way, log_format, secret, *rest = sys.argv[1:]
    if rest:
        sys.modules["rich"] = None  # type: ignore[assignment] # the import system's word for: not there
        importlib.reload(structlog.dev)  # it looks for Rich when it is loaded
    logs.configure(settings.load({"log_format": log_format}, {}))
    {known.__name__: known for known in WAYS}[way](secret)


if __name__ == "__main__":
    main()
