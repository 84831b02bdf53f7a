"""A private PostgreSQL cluster: its own folder and port, on loopback alone, gone with the tests."""

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.rabbit_node import free_ports

START_TIMEOUT_S = 60.0
PASSWORD = "canary-ledger-password"
_UNPRIVILEGED = "nobody"  # PostgreSQL does not run as root

# Ends the process $1 as soon as the process at the other end of its standard input is gone, even if it was killed.
_GUARD = 'read _; kill -QUIT "$1"'

# Tests kill the server, never the machine.
_SETTINGS = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "max_connections": "60"}


class PostgresCluster:
    """A server that can be stopped, killed and started again with its data; each database in it is made on demand."""

    def __init__(self, settings: dict[str, str] | None = None) -> None:
        (self.port,) = free_ports(1)
        self._settings = _SETTINGS | (settings or {})
        self._folder = Path(tempfile.mkdtemp(prefix="copydesk-postgres-"))
        self._user = _UNPRIVILEGED if os.getuid() == 0 else None
        self._server: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._made = 0

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://copydesk:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int:
        """The server's own process."""
        if self._server is None:
            raise RuntimeError("the server does not run")
        return self._server.pid

    def start(self) -> None:
        """Starts the server, the first time in a new cluster, and waits until it answers."""
        data = self._folder / "data"
        if not data.exists():
            self._prepare(data)
        settings = [argument for name, value in self._settings.items() for argument in ("-c", f"{name}={value}")]
        with (self._folder / "server.log").open("ab") as log:
            self._server = subprocess.Popen(
                [_program("postgres"), "-D", str(data), "-p", str(self.port), *settings],
                user=self._user,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "guard", str(self._server.pid)], stdin=subprocess.PIPE, start_new_session=True
        )
        self._await_answer()

    def kill(self) -> None:
        """Ends the server at once; its data stays. (SIGQUIT: a SIGKILL would leave its children for a while.)"""
        self._end(signal.SIGQUIT)

    def database(self, *, like: str = "template1") -> str:
        """Returns the URL of a new database: empty, or with all that the database `like` holds."""
        self._made += 1
        name = f"ledger{self._made}"
        createdb = [_program("createdb"), "--maintenance-db", self.url(), "--template", like, name]
        subprocess.run(createdb, check=True, timeout=START_TIMEOUT_S)
        return self.url(name)

    def close(self) -> None:
        """Ends the server. Its data is deleted when this process ends.

        A hundred databases are 30,000 files: to delete them took 118 s on a busy disk, and a test may take 120 s.
        """
        self._end(signal.SIGQUIT)
        atexit.register(shutil.rmtree, self._folder)

    def _end(self, number: signal.Signals) -> None:
        if self._server is None or self._guard is None:
            return
        self._server.send_signal(number)
        self._server.wait(START_TIMEOUT_S)
        self._guard.kill()  # the number of the process may be another's by now
        self._guard.communicate()
        self._server = self._guard = None

    def _prepare(self, data: Path) -> None:
        word = self._folder / "password"
        word.write_text(PASSWORD)
        if self._user:
            for path in (self._folder, word):
                shutil.chown(path, self._user)
        initdb = [_program("initdb"), "-D", str(data), "-U", "copydesk", f"--pwfile={word}", "--no-sync"]
        subprocess.run(
            [*initdb, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"],
            user=self._user,
            cwd=self._folder,
            check=True,
            capture_output=True,
            timeout=START_TIMEOUT_S,
        )

    def _await_answer(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        ready = [_program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ready, check=False).returncode:
            ended = self._server is None or self._server.poll() is not None
            if ended or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{(self._folder / 'server.log').read_text()[-4000:]}")
            time.sleep(0.05)


def _program(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if not found:
        raise RuntimeError("these tests start a PostgreSQL of their own: install it with `apt-get install postgresql`")
    return str(found[-1])


@contextmanager
def running_postgres() -> Iterator[PostgresCluster]:
    """Yields a server that runs, and ends it afterwards."""
    cluster = PostgresCluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.close()
