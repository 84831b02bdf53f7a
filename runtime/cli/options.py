"""Options that several commands share."""

from typing import Annotated

import typer

from runtime.cli import checks
from runtime.settings import DEFAULT_SLOTS_AT_MOST, SLOTS_PER_CORE, Settings

_MADE_HERE = {"slots": f"{SLOTS_PER_CORE} a core, at most {DEFAULT_SLOTS_AT_MOST}", "parsers": "one a core"}


def default_of(setting: str) -> str:
    """Returns the default of a setting, for people: a command leaves the default to the settings."""
    return _MADE_HERE.get(setting) or str(Settings.model_fields[setting].default)


Url = Annotated[
    str,
    typer.Option(
        "--url", envvar="COPYDESK_URL", parser=checks.server_url, metavar="URL", help="Where Copydesk's API answers."
    ),
]
ApiKey = Annotated[
    str | None,
    typer.Option(
        "--api-key",
        envvar="COPYDESK_API_KEY",
        parser=checks.api_key,
        metavar="KEY",
        help="Bearer token, where the server asks for one.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line, also on a terminal.")]
Excerpt = Annotated[bool, typer.Option("--excerpt", help="Cards show the beginning of the text only.")]

DEFAULT_URL = "http://127.0.0.1:8080"
