"""Settings: the one place that reads the environment. Every name is `COPYDESK_` and the field in capitals."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from contract.topology import DELAYS_S, DELIVERY_LIMIT, Topology, design
from runtime.errors import StartError

PREFIX = "COPYDESK_"
_CLIENT = {"COPYDESK_URL", "COPYDESK_API_KEY"}  # read by submit and tail

LEDGER_FILE = "ledger.db"  # in the embedded broker's folder

_SLOTS_PER_CORE = 4
_DEFAULT_SLOTS_AT_MOST = 14  # what the default of max_in_flight_bytes holds on RabbitMQ

Port = Annotated[int, Field(ge=0, le=65535)]
Listed = Annotated[tuple[str, ...], NoDecode]
Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]


def _cores() -> int:
    return os.cpu_count() or 1


class Settings(BaseSettings):
    """Everything that can be set, with its default. Lists are separated by commas."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    host: str = Field("127.0.0.1", description="address that the API listens on")
    port: Port = Field(8080, description="port of the API")
    ops_host: str = Field("127.0.0.1", description="address of /metrics, /livez and /readyz")
    ops_port: Port = Field(8081, description="port of /metrics, /livez and /readyz")
    data: Path = Field(Path("data"), description="folder of the embedded broker")
    amqp_url: SecretStr | None = Field(None, description="RabbitMQ, as amqp://user:password@host:5672/vhost")
    ledger_url: SecretStr | None = Field(
        None, description="the ledger's database, as postgresql://user:password@host/database or sqlite:///PATH"
    )
    ledger_keep_days: Annotated[float, Field(gt=0)] = Field(30.0, description="days that the ledger keeps a document")
    ledger_keep_bytes: Count = Field(
        20_000_000_000, description="most that the ledger's events take, compressed; the oldest go first"
    )
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="bearer tokens, as name:secret or secret"
    )

    max_body_bytes: Count = Field(4 * 1024**2, description="largest request body")
    publish_timeout_s: Seconds = Field(4.0, description="longest wait for the broker's confirm")
    heartbeat_s: Seconds = Field(15.0, description="time between two heartbeats of an event stream")

    slots: Count = Field(
        default_factory=lambda: min(_SLOTS_PER_CORE * _cores(), _DEFAULT_SLOTS_AT_MOST),
        description="documents in hand at once, a worker: fetched, waiting for their host, or parsed",
    )
    parsers: Count = Field(default_factory=_cores, description="parser children, a worker")
    max_in_flight_bytes: Count = Field(
        512 * 1024**2,
        description="most memory for what is delivered to a worker and not acked, at the largest job size",
    )
    job_timeout_s: Seconds = Field(120.0, description="longest time for one attempt at a document")
    fetch_interval_s: Seconds = Field(1.0, description="time between two requests at one host, over all workers")
    fetch_robots: bool = Field(True, description="obey robots.txt")
    fetch_contact: str | None = Field(
        None, pattern=r"^(https?://|mailto:)[!-~]+$", description="URL or mailto: in the User-Agent, for complaints"
    )
    fetch_timeout_s: Seconds = Field(30.0, description="longest time for one fetch, redirects included")
    fetch_connect_timeout_s: Seconds = Field(10.0, description="longest time for one connection, name and TLS included")
    fetch_first_byte_timeout_s: Seconds = Field(20.0, description="longest time from a request to its answer's header")
    fetch_idle_timeout_s: Seconds = Field(10.0, description="longest silence within a page")
    fetch_max_redirects: Annotated[int, Field(ge=0)] = Field(10, description="most redirects on the way to a page")
    fetch_max_header_bytes: Count = Field(32 * 1024, description="largest header of an answer")
    fetch_max_transfer_bytes: Count = Field(10 * 1024**2, description="largest page, as it is sent")
    fetch_max_bytes: Count = Field(10 * 1024**2, description="largest page, after decompression")
    fetch_allow_networks: Listed = Field((), description="private networks that may be fetched from, as 10.0.0.0/8")
    fetch_allow_ports: Annotated[tuple[Port, ...], NoDecode] = Field(
        (80, 443), description="ports that may be fetched from outside those networks"
    )
    fetch_proxy: SecretStr | None = Field(
        None, description="HTTP proxy to fetch through, as http://user:word@host:3128"
    )
    fetch_nameservers: Listed = Field((), description="name servers to ask instead of the system's, as 10.0.0.53:53")
    fetch_ca_file: Path | None = Field(None, description="authorities to trust beside the system's, PEM")
    parse_timeout_s: Seconds = Field(20.0, description="longest time in a parser child, a document")
    parse_memory_bytes: Count = Field(768 * 1024**2, description="memory of a parser child, beyond its start")
    parse_recycle_after: Count = Field(1000, description="documents after which a parser child is replaced")

    retry_delays_s: Annotated[tuple[float, ...], NoDecode] = Field(DELAYS_S, description="delays between attempts")
    delivery_limit: Count = Field(DELIVERY_LIMIT, description="redeliveries before a job counts as lost")

    shutdown_timeout_s: Seconds = Field(30.0, description="time to finish what is in hand after SIGTERM")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level that is logged")
    log_format: Literal["auto", "json", "console"] = Field("auto", description="auto: console on a terminal, else json")

    def ledger(self) -> str | None:
        """Returns the URL of the ledger's database: the one that is set, else on the embedded broker its own file."""
        if self.ledger_url is not None:
            return self.ledger_url.get_secret_value()
        return None if self.amqp_url is not None else f"sqlite:///{self.data / LEDGER_FILE}"

    def topology(self) -> Topology:
        """Returns the topology with the delays and the delivery limit that are set.

        Raises:
            StartError: the delays do not grow.
        """
        try:
            return design(self.retry_delays_s, self.delivery_limit)
        except ValueError as error:
            raise StartError(str(error)) from None

    @field_validator(
        "api_keys", "fetch_allow_networks", "fetch_allow_ports", "fetch_nameservers", "retry_delays_s", mode="before"
    )
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def load(given: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Returns the settings: what was `given` on the command line, else the environment, else the defaults.

    Raises:
        StartError: an unknown COPYDESK_ variable, or a value that will not do. Values are not repeated.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields} | _CLIENT
    names = os.environ if environ is None else environ
    unknown = sorted(name for name in names if name.upper().startswith(PREFIX) and name.upper() not in known)
    if unknown:
        raise StartError(f"unknown settings: {', '.join(unknown)}")
    try:
        return Settings(**{name: value for name, value in (given or {}).items() if value is not None})
    except ValidationError as error:
        told = "; ".join(
            f"{PREFIX}{str(fault['loc'][0]).upper() if fault['loc'] else ''}: {fault['msg']}"
            for fault in error.errors(include_input=False, include_url=False)
        )
        raise StartError(f"settings: {told}") from None
