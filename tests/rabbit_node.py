"""A private RabbitMQ node: its own folder, ports, epmd and cookie, on loopback alone, gone with the tests."""

import base64
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

# Another one, as of RabbitMQ 4 in a chroot, stands beside a rabbitmqctl and sees the same folder for temporary files.
SERVER = os.environ.get("TEST_RABBITMQ_SERVER", "/usr/lib/rabbitmq/bin/rabbitmq-server")
DEPLOYED = Path(__file__).parents[1] / "deploy" / "rabbitmq" / "rabbitmq.conf"
START_TIMEOUT_S = 120.0
CTL_TIMEOUT_S = 120.0
CORES = len(os.sched_getaffinity(0))

_LOOPBACK = "-kernel inet_dist_use_interface {127,0,0,1}"
MEMORY_LIMIT = "0.4"  # RabbitMQ's default for vm_memory_high_watermark

_RANDOM = random.SystemRandom()  # of tests that run at once, each has ports of its own
_FIRST_PORT = 11_000  # chosen: above those of known services, and those that browsers refuse
_END_OF_PORTS = 65_536

_ACTOR = '<<"tests">>'  # the name of the caller in the node's log
_RESULT = re.compile(r'"([A-Za-z0-9+/=]*)"')

# Kills the process group $1 as soon as the process at the other end of its standard input is gone, even if killed.
_GUARD = 'read _; kill -9 "-$1"'


class RabbitNode:
    """A RabbitMQ node that can be killed and restarted with its data; listens on 127.0.0.1:`port`.

    `settings` are lines of rabbitmq.conf beyond what is deployed, `plugins` are enabled. `schedulers` is the number of
    cores that it uses at most: with one it starts for 2.9 s of CPU time, with two for 3.9 s. A benchmark gives it all
    of the machine's.
    """

    def __init__(self, folder: Path, *, settings: str = "", schedulers: int = 1, plugins: Sequence[str] = ()) -> None:
        self._folder = folder
        self._plugins = plugins
        self._settings = settings
        self._schedulers = schedulers
        self.port, self._dist_port, self._epmd_port = free_ports(3)
        self._epmd: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    @property
    def name(self) -> str:
        """The name of the Erlang node."""
        return f"copydesk-{self.port}@localhost"

    @property
    def pid(self) -> int:
        """The node's own process."""
        return int((self._folder / "pid").read_text())

    def start(self) -> None:
        """Starts the node and waits until it speaks AMQP."""
        if self._epmd is None:
            self._prepare()
        with (self._folder / "console.log").open("ab") as console:
            self._server = subprocess.Popen(
                [SERVER],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                process_group=self._group(),
            )
        self._await_amqp()

    def kill(self) -> None:
        """Ends the node with SIGKILL, as a power cut would; its data stays."""
        self._signal(signal.SIGKILL)
        self._await_end()

    def stop(self) -> None:
        """Ends the node in order; its data stays."""
        self._signal(signal.SIGTERM)
        self._await_end()

    def pause(self) -> None:
        """Stops the node, and returns when all its threads have stopped: SIGSTOP returns earlier."""
        self._signal(signal.SIGSTOP)
        threads = Path("/proc", str(self.pid), "task")
        while not all(_stands_still(thread) for thread in threads.iterdir()):
            time.sleep(0.001)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def settle(self) -> None:
        """Flushes the node's directory of queues; by itself it takes seconds.

        If RabbitMQ 3.10 is killed before, it has lost its stream coordinator, and every stream with it.
        """
        self.evaluate("[dets:sync(Table) || Table <- dets:all()].")

    def add_vhost(self, name: str) -> str:
        """Makes a virtual host that guest may use, and returns its URL."""
        self.evaluate(
            f'rabbit_vhost:add(<<"{name}">>, {_ACTOR}), rabbit_auth_backend_internal:set_permissions('
            f'<<"guest">>, <<"{name}">>, <<".*">>, <<".*">>, <<".*">>, {_ACTOR}).'
        )
        return f"{self.url}{name}"

    @contextmanager
    def vhost(self, name: str) -> Iterator[str]:
        """Yields the URL of a virtual host that guest may use. Nothing that is in it outlives the context."""
        url = self.add_vhost(name)
        try:
            yield url
        finally:
            self.delete_vhost(name)

    def delete_vhost(self, name: str) -> None:
        self.evaluate(f'rabbit_vhost:delete(<<"{name}">>, {_ACTOR}).')

    def add_user(self, name: str, password: str, vhost: str | None = None, *, may: str = ".*") -> None:
        """Makes a user, who has the permissions `may` (a regular expression) in the virtual host."""
        user = f'<<"{name}">>'
        self.evaluate(f'rabbit_auth_backend_internal:add_user({user}, <<"{password}">>, {_ACTOR}).')
        if vhost is not None:
            all_of_it = ", ".join([f'<<"{may}">>'] * 3)  # to configure, to write, to read
            self.evaluate(
                f'rabbit_auth_backend_internal:set_permissions({user}, <<"{vhost}">>, {all_of_it}, {_ACTOR}).'
            )

    def delete_user(self, name: str) -> None:
        self.evaluate(f'rabbit_auth_backend_internal:delete_user(<<"{name}">>, {_ACTOR}).')

    def set_policy(self, name: str, pattern: str, definition: Mapping[str, int], *, vhost: str = "/") -> None:
        """Sets a policy for queues, as `rabbitmqctl set_policy`."""
        wanted = ", ".join(f'{{<<"{key}">>, {value}}}' for key, value in definition.items())
        escaped = pattern.replace("\\", "\\\\")
        self.evaluate(
            f'ok = rabbit_policy:set(<<"{vhost}">>, <<"{name}">>, <<"{escaped}">>, [{wanted}], 0, <<"queues">>, '
            f"{_ACTOR})."
        )

    def clear_policy(self, name: str, *, vhost: str = "/") -> None:
        self.evaluate(f'ok = rabbit_policy:delete(<<"{vhost}">>, <<"{name}">>, {_ACTOR}).')

    def limit_memory(self, limit: str) -> None:
        """Sets the limit of the memory alarm: a fraction of the machine's memory, or `{absolute, BYTES}`."""
        self.evaluate(f"vm_memory_monitor:set_vm_memory_high_watermark({limit}).")

    def queues(self, *items: str, vhost: str = "/") -> list[dict[str, Any]]:
        """Returns items of all queues, as `rabbitmqctl list_queues`: `name` always; an atom as a string."""
        rows = (
            "[maps:from_list([{name, element(4, proplists:get_value(name, Row))}"
            " | [{Key, Value} || {Key, Value} <- Row, Key =/= name]])"
            f' || Row <- rabbit_amqqueue:info_all(<<"{vhost}">>, [{", ".join(["name", *items])}])]'
        )
        found: list[dict[str, Any]] = self.value(rows)
        return found

    def value(self, expression: str) -> Any:  # noqa: ANN401 - JSON
        """Returns the value of an Erlang expression, as JSON has it."""
        printed = self.evaluate(f"base64:encode_to_string(iolist_to_binary(rabbit_json:encode({expression}))).")
        found = _RESULT.search(printed)
        if found is None:
            raise RuntimeError(f"{expression}: {printed}")
        return json.loads(base64.b64decode(found[1]))

    def evaluate(self, expressions: str) -> str:
        """Runs Erlang expressions in the node, and returns what erl_call prints: the value of the last one.

        It takes some milliseconds; rabbitmqctl starts an Erlang of its own, for 0.7 s of CPU time.

        Raises:
            RuntimeError: with what erl_call printed, if one of them failed.
        """
        cookie = (self._folder / ".erlang.cookie").read_text()
        done = subprocess.run(
            [_program("erl_call"), "-sname", self.name, "-c", cookie, "-e"],
            env=self._environment(),
            input=f"{expressions}\n",
            check=False,
            capture_output=True,
            text=True,
            timeout=CTL_TIMEOUT_S,
        )
        if not done.stdout.startswith("{ok,"):
            raise RuntimeError(f"{expressions}: {done.stdout}{done.stderr}")
        return done.stdout

    def define(self, definitions: Mapping[str, object]) -> None:
        """Imports definitions, as `rabbitmqctl import_definitions` does."""
        file = self._folder / "imported.json"
        file.write_text(json.dumps(definitions))
        self.evaluate(f'{{ok, Json}} = file:read_file("{file}"), ok = rabbit_definitions:import_raw(Json).')

    def ctl(self, *arguments: str, stdin: str = "") -> str:
        """Runs rabbitmqctl against the node and returns its output. `evaluate` takes less time."""
        done = subprocess.run(
            [str(Path(SERVER).with_name("rabbitmqctl")), "--quiet", *arguments],
            env=self._environment(),
            input=stdin,
            check=True,
            capture_output=True,
            text=True,
            timeout=CTL_TIMEOUT_S,
        )
        return done.stdout

    def close(self) -> None:
        """Ends every process of this node."""
        if self._epmd is None or self._guard is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._group(), signal.SIGKILL)
        for process in (self._server, self._epmd):
            if process is not None:
                process.wait()
        self._guard.communicate()
        self._epmd = self._guard = self._server = None

    def _prepare(self) -> None:
        listen = f"listeners.tcp.1 = 127.0.0.1:{self.port}\n"
        (self._folder / "rabbitmq.conf").write_text(DEPLOYED.read_text() + listen + self._settings)
        (self._folder / "enabled_plugins").write_text(f"[{','.join(self._plugins)}].\n")
        self._epmd = subprocess.Popen(
            [_program("epmd"), "-port", str(self._epmd_port), "-address", "127.0.0.1"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "guard", str(self._epmd.pid)], stdin=subprocess.PIPE, start_new_session=True
        )

    def _environment(self) -> dict[str, str]:
        folder = self._folder
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"{_LOOPBACK} +S {self._schedulers}:{self._schedulers}",
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
        }

    def _group(self) -> int:
        if self._epmd is None:
            raise RuntimeError("the node was not started")
        return self._epmd.pid

    def _signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def _await_end(self) -> None:
        if self._server is not None:
            self._server.wait(timeout=START_TIMEOUT_S)

    def _await_amqp(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not speaks_amqp(self.port):
            ended = self._server is None or self._server.poll() is not None
            if ended or time.monotonic() > deadline:
                raise RuntimeError(f"RabbitMQ did not start:\n{(self._folder / 'console.log').read_text()[-4000:]}")
            time.sleep(0.05)


@contextmanager
def running_node(folder: Path, *, settings: str = "", schedulers: int = 1) -> Iterator[RabbitNode]:
    """Yields a node that runs, and ends its processes afterwards."""
    node = RabbitNode(folder, settings=settings, schedulers=schedulers)
    try:
        node.start()
        yield node
    finally:
        node.close()


def permission(user: str, vhost: str) -> dict[str, str]:
    """Returns the definition that `user` may do all in `vhost`."""
    return {"user": user, "vhost": vhost, "configure": ".*", "write": ".*", "read": ".*"}


def free_ports(count: int) -> list[int]:
    """Returns ports of 127.0.0.1 that nobody listens on right now.

    They are below those that the kernel gives to sockets without a port (ip(7)): among these, another test's connection
    could have one by the time that it is used.
    """
    ephemeral, _ = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    end = ephemeral if ephemeral >= 2 * _FIRST_PORT else _END_OF_PORTS
    found: set[int] = set()
    while len(found) < count:
        port = _RANDOM.randrange(_FIRST_PORT, end)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            found.add(port)
    return list(found)


def speaks_amqp(port: int) -> bool:
    """Returns True if 127.0.0.1:`port` answers the AMQP 0-9-1 protocol header with a method frame."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return connection.recv(1) == b"\x01"
    except OSError:
        return False


def _stands_still(thread: Path) -> bool:
    """Returns True if a thread is stopped by proc(5), or has ended."""
    try:
        return (thread / "stat").read_text().rpartition(")")[2].split()[0] == "T"
    except (FileNotFoundError, ProcessLookupError):
        return True


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None or not Path(SERVER).exists():
        raise RuntimeError(
            "these tests start a RabbitMQ of their own: install it with `apt-get install rabbitmq-server`"
        )
    return found
