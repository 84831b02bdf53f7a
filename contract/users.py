"""The users of RabbitMQ, one for each role and one for each subscriber, with exactly the rights that each needs.

RabbitMQ grants by name: `configure` is to declare and delete, `write` to publish to an exchange and to bind a queue or
an exchange to something, `read` to consume a queue and to bind something to an exchange. A topic right also limits the
routing keys (https://www.rabbitmq.com/docs/access-control).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from contract.job import Lane
from contract.topology import (
    ACCEPTED,
    ATTEMPTS,
    DEAD,
    DELAYED,
    DOCUMENTS,
    DOCUMENTS_HEADERS,
    INTAKE,
    INTAKE_RETRY,
    LOG,
    LOST,
    PREVIEWS,
    PROBE,
    REPLIES,
    REQUESTS,
    Argument,
    Policy,
    exchange_to,
    lane_queue,
)

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
"""Names of subscribers. Without a dot: the queues of one would be those of another."""

ROLE_PREFIX: Final = "copydesk-"
"""Users of roles are called by this and the command that they run. No subscriber may be called so."""

_DEFAULT_USER: Final = "guest"
"""RabbitMQ makes it at its first start; to import it would change its password and its rights."""

SUBSCRIBER_CONNECTIONS: Final = 10  # chosen: several replicas of a subscriber, and some that have just been cut
SUBSCRIBER_CHANNELS: Final = 50  # chosen: five on each of these connections
SUBSCRIBER_DOCUMENTS: Final = 100_000  # chosen: as many events as a lane takes documents
SUBSCRIBER_BYTES: Final = 1_000_000_000  # chosen: 100,000 events of 10 kB each
SUBSCRIBER_EXPIRES_MS: Final = 7 * 86_400_000  # as long as the log is kept by default; what came before is in neither

_NOTHING: Final = "^$"
_ANYTHING: Final = ".*"
_PATTERN: Final = re.compile(r"[^.*#\s]+(\.[^.*#\s]+)*\.#")


@dataclass(frozen=True, slots=True)
class TopicRight:
    """Which routing keys a user may publish with (`write`) and bind by (`read`) at the topic exchange of documents."""

    write: str
    read: str


@dataclass(frozen=True, slots=True)
class User:
    """A user with its rights in one virtual host, as regular expressions. `limits` are those of RabbitMQ for users."""

    name: str
    configure: str = _NOTHING
    write: str = _NOTHING
    read: str = _NOTHING
    topic: TopicRight | None = None
    limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """A user and its password. Without one (`""`) it can log in with a client certificate alone."""

    user: User
    password: str = field(repr=False)


class AccountError(ValueError):
    """A line is no account. The message has the line's number, and nothing of the line: it may be a password."""


def read_accounts(text: str) -> list[Account]:
    """Returns the accounts of lines as `NAME:PASSWORD` or `NAME=PATTERN:PASSWORD`. Empty lines are skipped.

    Raises:
        AccountError: a line is none, or names a user again, or there is none at all.
    """
    accounts: dict[str, Account] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        account = _account(number, line)
        if account.user.name in accounts:
            raise AccountError(f"line {number}: this user stands in a line before")
        accounts[account.user.name] = account
    if not accounts:
        raise AccountError("it names no user")
    return list(accounts.values())


def _account(number: int, line: str) -> Account:
    who, colon, password = line.strip().partition(":")
    name, equals, pattern = who.partition("=")
    roles = {user.name: user for user in role_users()}
    if not colon:
        raise AccountError(f"line {number}: it must be NAME:PASSWORD, or NAME: for a user with a certificate")
    if name in roles and not equals:
        return Account(roles[name], password)
    try:
        return Account(subscriber(name, pattern) if equals else subscriber(name), password)
    except ValueError as error:
        raise AccountError(f"line {number}: {error}; users of roles are {', '.join(roles)}") from None


def role_users() -> list[User]:
    """Returns the users of Copydesk's own processes."""
    return [_serve(), _work(), _record(), _deliver(), _audit(), _topology()]


def subscriber(name: str, pattern: str = "#") -> User:
    """Returns the user of a subscriber: it reads events, and has the queues `subscriber.NAME` and `subscriber.NAME.…`.

    With a `pattern` such as `processed.de.#` it may bind by these routing keys and by `erased` alone, and reads neither
    the log nor the headers exchange, which have the events of all.

    Raises:
        ValueError: no subscriber can have this name or pattern.
    """
    if not NAME.fullmatch(name) or name.startswith(ROLE_PREFIX):
        raise ValueError(f"a subscriber's name has 1 to 64 of A-Z a-z 0-9 _ -, and does not begin with {ROLE_PREFIX}")
    if name == _DEFAULT_USER:
        raise ValueError(f"{name} is RabbitMQ's own user")
    if pattern != "#" and not _PATTERN.fullmatch(pattern):
        raise ValueError("a subscriber's pattern is words with dots, and # at its end, as processed.de.#")
    own = [rf"subscriber\.{name}(\..*)?", r"amq\.gen-.*"]
    sources = [DOCUMENTS] if pattern != "#" else [DOCUMENTS, DOCUMENTS_HEADERS, LOG]
    return User(
        name,
        configure=_any_of(own),
        write=_any_of(own),
        read=_any_of([*own, *_names(sources)]),
        topic=TopicRight(_NOTHING, _ANYTHING if pattern == "#" else _below(pattern)),
        limits={"max-connections": SUBSCRIBER_CONNECTIONS, "max-channels": SUBSCRIBER_CHANNELS},
    )


def subscriber_limits() -> Policy:
    """Returns the limits of subscribers' queues, an operator policy: their own limits may be lower and not higher."""
    bounds: Mapping[str, Argument] = {
        "max-length": SUBSCRIBER_DOCUMENTS,
        "max-length-bytes": SUBSCRIBER_BYTES,
        "expires": SUBSCRIBER_EXPIRES_MS,
    }
    return Policy("copydesk-subscribers", r"^(subscriber\.|amq\.gen-)", bounds)


def _serve() -> User:
    own = rf"{re.escape(REPLIES)}\.[0-9a-f-]+"
    return User(
        "copydesk-serve",
        configure=_any_of([own]),
        write=_any_of([own, *_names([INTAKE, PROBE, DOCUMENTS, *_written(LOG, ACCEPTED, REQUESTS, PREVIEWS)])]),
        read=_any_of([own, *_names([DOCUMENTS, REPLIES, LOG, DEAD])]),
        topic=TopicRight("^erased$", "^[0-9a-f-]{36}$"),  # it hears of the documents that a request waits for
    )


def _work() -> User:
    lanes = [lane_queue(lane) for lane in Lane]
    return User(
        "copydesk-work",
        configure=_any_of([r"copydesk\.lease\..*"]),
        write=_any_of(_names([DOCUMENTS, DELAYED, REPLIES, PROBE, *_written(LOG, ATTEMPTS, DEAD)])),
        read=_any_of(_names([*lanes, INTAKE_RETRY, LOST, PREVIEWS, REQUESTS])),
    )


def _record() -> User:
    return User(
        "copydesk-record",
        write=_any_of(_names([DOCUMENTS, PROBE, *_written(LOG)])),
        read=_any_of(_names([LOG, ACCEPTED, ATTEMPTS, REQUESTS])),
        topic=TopicRight(r"^batch\.completed$", _NOTHING),
    )


def _deliver() -> User:
    return User(
        "copydesk-deliver",
        write=_any_of(_names([DOCUMENTS, PROBE, *_written(LOG)])),
        read=_any_of(_names([LOG])),
        topic=TopicRight(r"^webhook\.disabled\.", _NOTHING),
    )


def _audit() -> User:
    """It publishes nothing but what `copydesk doctor` tries."""
    return User("copydesk-audit", write=_any_of(_names([PROBE])), read=_any_of(_names([LOG, ACCEPTED])))


def _topology() -> User:
    """The one that declares. A queue that dead-letters to the default exchange needs the right to write to that."""
    return User(
        "copydesk-topology",
        configure=r"^copydesk\.",
        write=r"^(copydesk\..*|amq\.default)$",
        read=r"^copydesk\.",
    )


def _written(*queues: str) -> Sequence[str]:
    return [exchange_to(queue) for queue in queues]


def _names(names: Iterable[str]) -> list[str]:
    return [re.escape(name) for name in names]


def _any_of(patterns: Sequence[str]) -> str:
    return f"^({'|'.join(patterns)})$"


def _below(pattern: str) -> str:
    return rf"^({re.escape(pattern.removesuffix('.#'))}(\..*)?|erased)$"
