"""TLS to RabbitMQ: the files of the settings become parameters of the AMQP URL, and are tried before anything connects.

The client library takes `cafile`, `certfile` and `keyfile` in the URL, and `auth=external` to log in with the
certificate alone.
"""

import ssl
from pathlib import Path

from yarl import URL

NAMES = {"cafile": "COPYDESK_AMQP_CA_FILE", "certfile": "COPYDESK_AMQP_CERT_FILE", "keyfile": "COPYDESK_AMQP_KEY_FILE"}
"""Parameters of the URL, and the settings that set them."""


class TlsFault(ValueError):
    """The files for TLS cannot be used; the message says why, and holds nothing of their content."""


def with_files(url: str, ca: Path | None, certificate: Path | None, key: Path | None) -> str:
    """Returns an AMQP URL with these files for TLS. With a certificate and without a user, the certificate logs in.

    Raises:
        TlsFault: the URL is not for TLS, or a file cannot be used.
    """
    parsed = URL(url)
    given = zip(NAMES, (ca, certificate, key), strict=True)
    files = {name: str(path) for name, path in given if path is not None}
    if files and parsed.scheme != "amqps":
        raise TlsFault(f"{', '.join(NAMES[name] for name in files)}: these are for amqps://, and the URL is amqp://")
    named = {name: parsed.query[name] for name in NAMES if name in parsed.query} | files
    if "certfile" in named and not parsed.user and "auth" not in parsed.query:
        files["auth"] = "external"
    _try(named)
    return str(parsed.update_query(files)) if files else url


def _try(files: dict[str, str]) -> None:
    """Reads the files as the client library will, which would ask on the terminal for the password of a key."""
    if "keyfile" in files and "certfile" not in files:
        raise TlsFault(f"{NAMES['keyfile']} is set, but its certificate is not: set {NAMES['certfile']}, too")
    for name, path in files.items():
        try:
            with Path(path).open("rb"):
                pass
        except OSError as error:
            raise TlsFault(f"{NAMES[name]}: {path} cannot be read ({error.strerror})") from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if "cafile" in files:
            context.load_verify_locations(files["cafile"])
    except ssl.SSLError:
        raise TlsFault(f"{NAMES['cafile']}: {files['cafile']} holds no certificate in PEM") from None
    try:
        if "certfile" in files:
            context.load_cert_chain(files["certfile"], files.get("keyfile"), password=_no_password)
    except (ssl.SSLError, ValueError) as error:
        why = getattr(error, "reason", None) or "the key has a password"
        raise TlsFault(f"{NAMES['certfile']} and {NAMES['keyfile']} are no pair in PEM ({_plain(why)})") from None


def _no_password() -> str:
    raise ValueError("the key has a password")


def _plain(reason: str) -> str:
    return {"KEY_VALUES_MISMATCH": "the key belongs to another certificate"}.get(
        reason, reason.replace("_", " ").lower()
    )
