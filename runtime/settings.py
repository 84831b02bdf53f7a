"""Settings. Only this module reads the environment. A variable's name is `COPYDESK_` and the field in capitals."""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from contract.deliveries import WEBHOOK_DELAYS_S
from contract.keys import MIN_SECRET_CHARS
from contract.topology import DELAYS_S, DELIVERY_LIMIT, Bounds, Topology, design
from runtime import amqp_tls, amqp_url, ledger_url
from runtime.errors import StartError

PREFIX = "COPYDESK_"
_ELSEWHERE = {
    "COPYDESK_URL",  # commands that send requests to a server read these three
    "COPYDESK_API_KEY",
    "COPYDESK_PATIENCE",
    "COPYDESK_AMQP_PASSWORD",  # deploy/compose.yaml uses it for the broker's user and URL
}

# Variables that Kubernetes sets in each pod for each Service whose name begins with "copydesk"
# (https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables). Name and value are both
# needed to recognise them, because COPYDESK_PORT is a setting, too.
_SERVICE = "COPYDESK(_[A-Z0-9_]+)?"
_PORT = rf"{_SERVICE}_PORT_[0-9]+_(TCP|UDP|SCTP)"
_SERVICE_LINKS = tuple(
    (re.compile(name), re.compile(value, re.IGNORECASE))
    for name, value in (
        (rf"{_SERVICE}_PORT|{_PORT}", r"(tcp|udp|sctp)://\S+"),
        (rf"{_PORT}_PROTO", "tcp|udp|sctp"),
        (rf"{_PORT}_PORT|{_SERVICE}_SERVICE_PORT(_[A-Z0-9_]+)?", "[0-9]+"),
        (rf"{_PORT}_ADDR|{_SERVICE}_SERVICE_HOST", "[0-9a-f.:]+"),
    )
)

LEDGER_FILE = "ledger.db"  # in the embedded broker's folder

SLOTS_PER_PARSER = 2  # one document is parsed, and the next one is there
WAITING_PER_CORE = 512  # chosen: bulk takes three quarters, which is 60 URLs a second and core that take 6 s each
DEFAULT_WAITING_AT_MOST = 2048  # chosen: a worker whose sites all answer after 6 s has 250 URLs a second

Port = Annotated[int, Field(ge=0, le=65535)]
Listed = Annotated[tuple[str, ...], NoDecode]
Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]


def _cores() -> int:
    return os.cpu_count() or 1


class Settings(BaseSettings):
    """All settings with their defaults. Lists are separated by commas."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    host: str = Field("127.0.0.1", description="address that the API listens on")
    port: Port = Field(8080, description="port of the API")
    ops_host: str = Field("127.0.0.1", description="address of /metrics, /livez and /readyz")
    ops_port: Port = Field(8081, description="port of /metrics, /livez and /readyz")
    data: Path = Field(Path("data"), description="folder of the embedded broker")
    amqp_url: SecretStr | None = Field(None, description="RabbitMQ, as amqp://user:password@host:5672/vhost")
    amqp_ca_file: Path | None = Field(None, description="authorities that RabbitMQ's certificate may be of, PEM")
    amqp_cert_file: Path | None = Field(
        None, description="certificate to show to RabbitMQ, PEM; it logs in if the URL has no user"
    )
    amqp_key_file: Path | None = Field(None, description="its private key, PEM; by default in the same file")
    declare: bool = Field(
        True, description="declare exchanges and queues at start; false: only check that they are there"
    )
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
    keys_secret: Annotated[SecretStr, Field(min_length=MIN_SECRET_CHARS)] | None = Field(
        None, description="turns on the API keys of the ledger, whose hashes are made with it; at least 32 characters"
    )
    keys_outage_s: Annotated[float, Field(ge=0)] = Field(
        900.0, description="for how long API keys of the ledger are taken while it is away; those with admin for 5 s"
    )
    event_tokens_secret: Annotated[SecretStr, Field(min_length=MIN_SECRET_CHARS)] | None = Field(
        None,
        description="signs the tokens of EventSources, the same for all servers; at least 32 characters. By default "
        "COPYDESK_KEYS_SECRET",
    )
    callback_secret: Annotated[SecretStr, Field(min_length=MIN_SECRET_CHARS)] | None = Field(
        None,
        description="turns on options.callback_url, whose requests are signed with keys that are derived from it, the "
        "same for serve and deliver; at least 32 characters",
    )

    hosts: Listed = Field(
        (), description="names that this server is known by, as desk.example.com; .example.com: all below; *: any"
    )

    first_byte_timeout_s: Seconds = Field(10.0, description="longest time from connecting to a request's first byte")
    header_timeout_s: Seconds = Field(10.0, description="longest time for a request's header")
    body_timeout_s: Seconds = Field(60.0, description="longest time for a request's body")
    idle_timeout_s: Seconds = Field(65.0, description="longest time from an answer to the next request")
    send_timeout_s: Seconds = Field(30.0, description="longest time for an answer to be taken, and 1 s for each 16 KiB")
    max_connections: Count = Field(1000, description="most connections to the API at once")
    max_connections_per_address: Count = Field(
        500, description="most connections to the API at once from one IPv4 address or IPv6 /64"
    )
    max_ops_connections: Count = Field(
        100, description="most connections to the ops port at once; half from one address"
    )
    max_event_streams: Count = Field(100, description="most event streams at once; each is a connection")

    processes: Count = Field(1, description="processes of copydesk serve, on one port")
    max_body_bytes: Count = Field(4 * 1024**2, description="largest request body")
    operators: Listed = Field(
        (), description="names in COPYDESK_API_KEYS with the scope admin: they reach the documents of all"
    )
    keep_input: bool = Field(False, description="keep the text and HTML of documents, to process them again")
    publish_timeout_s: Seconds = Field(4.0, description="longest wait for the broker's confirm")
    heartbeat_s: Seconds = Field(15.0, description="time between two heartbeats of an event stream")

    parsers: Count = Field(default_factory=_cores, description="parser children, a worker")
    slots: Count = Field(
        default_factory=lambda data: SLOTS_PER_PARSER * data.get("parsers", 1),
        description="for experts: documents that a worker parses, or has next for its parser children",
    )
    max_waiting: Annotated[int, Field(ge=0)] = Field(
        default_factory=lambda: min(WAITING_PER_CORE * _cores(), DEFAULT_WAITING_AT_MOST),
        description="further documents that a worker takes, most of which wait for the network",
    )
    max_in_flight_bytes: Count = Field(
        512 * 1024**2, description="most bytes of documents that a worker holds, as they were delivered and fetched"
    )
    max_wait_s: Seconds = Field(30.0, description="longest that a request may ask to wait for a verdict")
    max_waiting_requests: Count = Field(200, description="most requests that wait for a verdict at once")
    max_extractions: Count = Field(20, description="most POST /v1/extract at once")

    preview_timeout_s: Seconds = Field(20.0, description="longest time for a worker's attempt at a preview")
    duplicate_days: Annotated[float, Field(ge=0)] = Field(
        7.0, description="days within which an article counts as duplicate of an earlier one; 0: none is looked for"
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

    webhook_allow: Listed = Field((), description="private networks that webhooks may be delivered to, as 10.0.0.0/8")
    webhook_allow_ports: Annotated[tuple[Port, ...], NoDecode] = Field(
        (80, 443), description="ports that webhooks may be delivered to outside those networks"
    )
    webhook_timeout_s: Seconds = Field(20.0, description="longest time for one attempt to deliver to a webhook")
    webhook_at_once: Count = Field(8, description="most requests at once to a webhook that is not ordered")
    webhook_retry_delays_s: Annotated[tuple[float, ...], NoDecode] = Field(
        WEBHOOK_DELAYS_S, description="delays between attempts to deliver to a webhook"
    )
    webhook_disable_days: Annotated[float, Field(gt=0)] = Field(
        3.0, description="days of nothing but failures after which a webhook is disabled"
    )
    webhook_keep_days: Annotated[float, Field(gt=0)] = Field(
        7.0, description="days for which finished deliveries to webhooks are kept"
    )

    retry_delays_s: Annotated[tuple[float, ...], NoDecode] = Field(DELAYS_S, description="delays between attempts")
    delivery_limit: Count = Field(DELIVERY_LIMIT, description="redeliveries before a job counts as lost")

    # On RabbitMQ a queue keeps the bounds that it was declared with.
    intake_documents: Count = Field(Bounds().intake_documents, description="most documents that wait in a lane")
    intake_bytes: Count = Field(Bounds().intake_bytes, description="most bytes that wait in a lane")
    log_days: Count = Field(Bounds().log_days, description="days for which RabbitMQ keeps the log")
    log_bytes: Count = Field(Bounds().log_bytes, description="most bytes of the log on RabbitMQ")

    shutdown_timeout_s: Seconds = Field(30.0, description="longest time to finish work in progress after SIGTERM")
    tracing: bool | None = Field(
        None, description="make traces; by default if OTEL_EXPORTER_OTLP_ENDPOINT or …_TRACES_ENDPOINT is set"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level that is logged")
    log_format: Literal["auto", "json", "console"] = Field("auto", description="auto: console on a terminal, else json")

    def ledger(self) -> str | None:
        """Returns the URL of the ledger's database: the one that is set, else the file of the embedded broker."""
        if self.ledger_url is not None:
            return self.ledger_url.get_secret_value()
        return None if self.amqp_url is not None else f"sqlite:///{self.data / LEDGER_FILE}"

    def rabbit_url(self) -> str | None:
        """Returns the URL of RabbitMQ with the files for TLS, as the broker takes it; None if it is not set.

        Raises:
            StartError: the files cannot be used.
        """
        if self.amqp_url is None:
            return None
        files = self.amqp_ca_file, self.amqp_cert_file, self.amqp_key_file
        try:
            return amqp_tls.with_files(self.amqp_url.get_secret_value(), *files)
        except amqp_tls.TlsFault as fault:
            raise StartError(str(fault)) from None

    def topology(self) -> Topology:
        """Returns the topology with the delays, the delivery limit and the bounds of these settings.

        Raises:
            StartError: the delays are not ascending.
        """
        bounds = Bounds(
            intake_documents=self.intake_documents,
            intake_bytes=self.intake_bytes,
            log_days=self.log_days,
            log_bytes=self.log_bytes,
        )
        try:
            designed = design(self.retry_delays_s, self.delivery_limit, bounds)
        except ValueError as error:
            raise StartError(str(error)) from None
        return replace(designed, only_checked=not self.declare)

    @field_validator("port", "ops_port", mode="before")
    @classmethod
    def _skip_service_link(cls, value: object, info: ValidationInfo) -> object:
        name = info.field_name or ""
        is_link = isinstance(value, str) and _is_service_link(PREFIX + name.upper(), value)
        return cls.model_fields[name].default if is_link else value

    @field_validator("amqp_url")
    @classmethod
    def _refuse_wrong_amqp_url(cls, value: SecretStr | None) -> SecretStr | None:
        fault = None if value is None else amqp_url.fault_of(value.get_secret_value())
        if fault is not None:
            raise ValueError(fault)
        return value

    @field_validator("ledger_url")
    @classmethod
    def _refuse_wrong_ledger_url(cls, value: SecretStr | None) -> SecretStr | None:
        fault = None if value is None else ledger_url.fault_of(value.get_secret_value())
        if fault is not None:
            raise ValueError(fault)
        return value

    @field_validator(
        "api_keys",
        "operators",
        "hosts",
        "fetch_allow_networks",
        "fetch_allow_ports",
        "fetch_nameservers",
        "retry_delays_s",
        "webhook_allow",
        "webhook_allow_ports",
        "webhook_retry_delays_s",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


_DEFAULT_OF_INVALID = "default_factory_not_called"
"""Pydantic's name for a setting whose default follows from others, one of which is invalid. That one says why."""


def load(given: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Returns the settings. `given`, from the command line, takes precedence over the environment, then come defaults.

    Raises:
        StartError: an unknown COPYDESK_ variable, or an invalid value. The message does not repeat values.
    """
    known = _settings() | _ELSEWHERE
    environ = os.environ if environ is None else environ
    unknown = {name for name in environ if name.upper().startswith(PREFIX) and name.upper() not in known}
    unknown -= set(service_links(environ))
    if unknown:
        raise StartError(f"unknown settings: {', '.join(sorted(unknown))}")
    try:
        return Settings(**{name: value for name, value in (given or {}).items() if value is not None})
    except ValidationError as error:
        faults = "; ".join(
            f"{PREFIX}{str(fault['loc'][0]).upper() if fault['loc'] else ''}: {_rule(fault)}"
            for fault in error.errors(include_input=False, include_url=False)
            if fault["type"] != _DEFAULT_OF_INVALID
        )
        raise StartError(f"settings: {faults}") from None


def _rule(fault: ErrorDetails) -> str:
    return fault["msg"].removeprefix("Value error, ")


def service_links(environ: Mapping[str, str]) -> list[str]:
    """Returns the names of the variables that Kubernetes set for a Service, sorted. They are not settings."""
    return sorted(name for name, value in environ.items() if _is_service_link(name, value))


def _is_service_link(name: str, value: str) -> bool:
    return any(names.fullmatch(name) and values.fullmatch(value) for names, values in _SERVICE_LINKS)


def _settings() -> set[str]:
    return {PREFIX + name.upper() for name in Settings.model_fields}
