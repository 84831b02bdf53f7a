"""Options that several commands share."""

from typing import Annotated

import typer

Url = Annotated[str, typer.Option("--url", envvar="COPYDESK_URL", help="Where Copydesk's API answers.")]
ApiKey = Annotated[
    str | None,
    typer.Option("--api-key", envvar="COPYDESK_API_KEY", help="Bearer token, where the server asks for one."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line, also on a terminal.")]
Excerpt = Annotated[bool, typer.Option("--excerpt", help="Cards show the beginning of the text only.")]

DEFAULT_URL = "http://127.0.0.1:8080"
