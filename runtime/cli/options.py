"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Any

import typer

from runtime.cli import checks
from runtime.settings import PREFIX, SLOTS_PER_PARSER, Settings

_COMPUTED_DEFAULTS = {"slots": f"{SLOTS_PER_PARSER} for each parser child"}


def _option_of(setting: str, **option: Any) -> Any:  # noqa: ANN401 - what Typer takes and returns
    """Returns the option for a setting. `--help` shows the setting's default; the value is None if it is not given.

    A port has no `envvar`, because Kubernetes may set `COPYDESK_PORT` to `tcp://…`: only the settings can tell.
    """
    name = f"{PREFIX}{setting.upper()}"
    if setting.endswith("port"):
        option |= {"min": 0, "max": 65535, "metavar": "PORT", "help": f"{option['help']}; {name}."}
    else:
        option["envvar"] = name
    default = _COMPUTED_DEFAULTS.get(setting) or Settings.model_fields[setting].default
    return typer.Option(show_default=str(default) if default is not None else False, **option)


Host = Annotated[
    str | None, _option_of("host", parser=checks.listen_host, metavar="HOST", help="Address that the API listens on.")
]
Port = Annotated[int | None, _option_of("port", help="Port of the API")]
Processes = Annotated[
    int | None,
    _option_of("processes", min=1, metavar="COUNT", help="Processes on the same port, for machines with many cores."),
]
OpsHost = Annotated[
    str | None,
    _option_of("ops_host", parser=checks.listen_host, metavar="HOST", help="Address of /metrics, /livez and /readyz."),
]
OpsPort = Annotated[int | None, _option_of("ops_port", help="Port of /metrics, /livez and /readyz")]
Data = Annotated[
    Path | None, _option_of("data", file_okay=False, metavar="FOLDER", help="Data folder of the embedded broker.")
]
AmqpUrl = Annotated[
    str | None,
    _option_of(
        "amqp_url",
        parser=checks.amqp_url,
        metavar="URL",
        help="URL of RabbitMQ, such as amqp://user:password@host:5672/vhost.",
    ),
]
LedgerUrl = Annotated[
    str | None,
    _option_of(
        "ledger_url",
        parser=checks.ledger_url,
        metavar="URL",
        help="Database of the ledger: postgresql://user:password@host/database or sqlite:///PATH. "
        "On the embedded broker the default is a file in the data folder.",
    ),
]
Slots = Annotated[
    int | None,
    _option_of("slots", min=1, metavar="COUNT", help="For experts: documents that a worker parses, or has next."),
]

Url = Annotated[
    str,
    typer.Option(
        "--url", envvar="COPYDESK_URL", parser=checks.server_url, metavar="URL", help="URL of the Copydesk server."
    ),
]
ApiKey = Annotated[
    str | None,
    typer.Option(
        "--api-key",
        envvar="COPYDESK_API_KEY",
        parser=checks.api_key,
        metavar="KEY",
        help="API key, if the server requires one.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object a line, also on a terminal.")]
Excerpt = Annotated[bool, typer.Option("--excerpt", help="Show only the beginning of each text in cards.")]
TARGETS = typer.Argument(
    metavar="FILE|URL|-...", help="Files (.html, .htm, .xhtml: HTML; others: text), URLs, or - for standard input."
)

DEFAULT_URL = "http://127.0.0.1:8080"
