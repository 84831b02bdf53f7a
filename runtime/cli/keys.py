"""`keys`: makes, lists, rotates and revokes the API keys of the ledger. It needs the database, and no server."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import orjson
import typer

from contract.keys import Key, Limits, Scope, digest_of, new_id, new_token
from contract.timestamps import now, rfc3339
from runtime.cli import checks, streams
from runtime.cli.databases import asked, loaded, url_of
from runtime.cli.exits import Exit
from runtime.cli.options import AsJson, Data, LedgerUrl
from runtime.errors import StartError
from runtime.settings import Settings

if TYPE_CHECKING:
    from runtime.ledger.keys import SqlKeyBook

T = TypeVar("T")

_DEFAULT_SCOPES: Final = (Scope.SUBMIT, Scope.READ)
_MOST: Final = 10**15 - 1  # of a limit: the largest whole number in HTTP's structured fields (RFC 9651, section 3.3.1)
_OVERLAP_S: Final = 3600.0  # chosen: an hour is enough to hand out a new token
_LONGEST_OVERLAP_S: Final = 30 * 24 * 3600.0  # chosen: who needs longer makes a second key

Owner = Annotated[
    str, typer.Argument(parser=checks.owner, metavar="OWNER", help="Whose documents it posts and looks up.")
]
KeyId = Annotated[
    str, typer.Argument(parser=checks.key_id, metavar="KEYID", help="Id of the key, as copydesk keys list shows it.")
]
Scopes = Annotated[
    list[Scope] | None,
    typer.Option(
        "--scope", help="What it may do; may be repeated. Default: submit and read. admin: all, for every owner."
    ),
]
PerMinute = Annotated[
    int | None, typer.Option(min=1, max=_MOST, metavar="COUNT", help="Most documents that it posts in a minute.")
]
DocumentsADay = Annotated[
    int | None, typer.Option(min=1, max=_MOST, metavar="COUNT", help="Most documents that it posts in a day, in UTC.")
]
BytesADay = Annotated[
    int | None, typer.Option(min=1, max=_MOST, metavar="COUNT", help="Most bytes that it posts in a day, in UTC.")
]
Overlap = Annotated[
    float,
    typer.Option(
        "--overlap-s",
        min=0,
        max=_LONGEST_OVERLAP_S,
        metavar="SECONDS",
        help="For how long the token before is taken, too. 0: it is refused within 5 seconds.",
    ),
]

app = typer.Typer(name="keys", help="Create, list, rotate or revoke API keys, in the ledger.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Adds the commands of this module to `parent`."""
    parent.add_typer(app)


@app.command()
def create(
    owner: Owner,
    scope: Scopes = None,
    per_minute: PerMinute = None,
    documents_a_day: DocumentsADay = None,
    bytes_a_day: BytesADay = None,
    ledger_url: LedgerUrl = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Create an API key, and print it. It is shown only now: the ledger keeps a hash of it.

    Needs COPYDESK_KEYS_SECRET, the same for all servers. They take the key after at most 5 seconds.
    """
    settings = loaded(ledger_url, data)
    key_id = new_id()
    token, digest = _new_token(settings, key_id)
    key = Key(
        id=key_id,
        owner=owner,
        digest=digest,
        scopes=frozenset(scope or _DEFAULT_SCOPES),
        limits=Limits(per_minute=per_minute, documents_a_day=documents_a_day, bytes_a_day=bytes_a_day),
        created_at=now(),
    )
    _in_book(settings, lambda book: book.add(key))
    _show_once(key_id, token, as_json=as_json, message=f"made the key {key_id} of {owner}: {_allowed(key)}")


@app.command("list")
def list_keys(ledger_url: LedgerUrl = None, data: Data = None, as_json: AsJson = False) -> None:
    """List all keys, the oldest first: id, owner, state, what it may do, limits, time of creation. No secrets."""
    for key in _in_book(loaded(ledger_url, data), lambda book: book.all_keys()):
        if as_json:
            streams.put(orjson.dumps(_listed(key)).decode())
        else:
            state = "in use" if key.revoked_at is None else "revoked"
            streams.put("\t".join((key.id, key.owner, state, _allowed(key), rfc3339(key.created_at))))


@app.command()
def rotate(
    key_id: KeyId,
    overlap_s: Overlap = _OVERLAP_S,
    ledger_url: LedgerUrl = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Give a key a new token, and print it. Id, owner, scopes, limits and what is used of them stay.

    A token that was rotated away before is refused from now on.
    """
    settings = loaded(ledger_url, data)
    token, digest = _new_token(settings, key_id)
    overlap = timedelta(seconds=overlap_s)
    _check_in_use(key_id, _in_book(settings, lambda book: book.rotate(key_id, digest, now(), overlap)))
    _show_once(
        key_id, token, as_json=as_json, message=f"the token before of {key_id} is taken for another {overlap_s:.0f} s"
    )


@app.command()
def revoke(key_id: KeyId, ledger_url: LedgerUrl = None, data: Data = None) -> None:
    """Revoke a key for good. All servers refuse it within 5 seconds, while they reach the ledger."""
    _check_in_use(key_id, _in_book(loaded(ledger_url, data), lambda book: book.revoke(key_id, now())))
    streams.put(f"revoked\t{key_id}")


def _new_token(settings: Settings, key_id: str) -> tuple[str, bytes]:
    if settings.keys_secret is None:
        raise StartError(
            "API keys of the ledger need COPYDESK_KEYS_SECRET, the same for this command and all servers: "
            "make one with openssl rand -hex 32"
        )
    token = new_token(key_id)
    return token, digest_of(token, settings.keys_secret.get_secret_value())


def _in_book(settings: Settings, act: Callable[["SqlKeyBook"], Awaitable[T]]) -> T:
    """Acts on the keys in the database. It makes the tables first if the database is the embedded broker's."""
    from runtime.ledger import opening, schema
    from runtime.ledger.database import open_engine
    from runtime.ledger.keys import SqlKeyBook

    async def acted() -> T:
        await opening.make_own(settings)
        engine = open_engine(url_of(settings), writes=True)
        try:
            await schema.check(engine)
            return await act(SqlKeyBook(engine))
        finally:
            await engine.dispose()

    return asked(acted())


def _check_in_use(key_id: str, found: bool) -> None:
    if not found:
        streams.tell(f"copydesk: there is no key {key_id} in use")
        raise typer.Exit(Exit.SOME_FAILED)


def _show_once(key_id: str, token: str, *, as_json: bool, message: str) -> None:
    streams.put(orjson.dumps({"id": key_id, "key": token}).decode() if as_json else token)
    streams.tell(f"copydesk: {message}")


def _allowed(key: Key) -> str:
    limits = (
        f"{most} {unit}"
        for most, unit in (
            (key.limits.per_minute, "documents a minute"),
            (key.limits.documents_a_day, "documents a day"),
            (key.limits.bytes_a_day, "bytes a day"),
        )
        if most is not None
    )
    return ", ".join((" ".join(sorted(key.scopes)), *limits))


def _listed(key: Key) -> dict[str, Any]:
    return {
        "id": key.id,
        "owner": key.owner,
        "scopes": sorted(key.scopes),
        **asdict(key.limits),
        "created_at": rfc3339(key.created_at),
        "former_until": _stated(key.former_until),
        "revoked_at": _stated(key.revoked_at),
    }


def _stated(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)
