"""Users and their rights as a RabbitMQ definitions file. Passwords come in, only their hashes go out.

`python -m runtime.brokers.rabbit.users` prints the rights of the roles, as the Helm chart has them.
"""

import base64
import hashlib
import secrets
import sys
from collections.abc import Sequence
from typing import Any

import orjson

from contract.topology import DOCUMENTS
from contract.users import Account, role_users, subscriber_limits
from runtime.brokers.rabbit.definitions import VHOST

_SALT_BYTES = 4  # https://www.rabbitmq.com/docs/passwords: "a 32 bit random salt"


def definitions(accounts: Sequence[Account], vhost: str = VHOST) -> dict[str, Any]:
    """Returns users, rights and limits as `rabbitmqctl import_definitions` takes them."""
    limits, users = subscriber_limits(), [account.user for account in accounts]
    return {
        "vhosts": [{"name": vhost}],
        "users": [_user(account) for account in accounts],
        "permissions": [
            {"user": u.name, "vhost": vhost, "configure": u.configure, "write": u.write, "read": u.read} for u in users
        ],
        "topic_permissions": [
            {"user": u.name, "vhost": vhost, "exchange": DOCUMENTS, "write": u.topic.write, "read": u.topic.read}
            for u in users
            if u.topic is not None
        ],
        "parameters": [
            {
                "component": "operator_policy",
                "vhost": vhost,
                "name": limits.name,
                "value": {
                    "pattern": limits.pattern,
                    "apply-to": limits.apply_to,
                    "definition": dict(limits.definition),
                    "priority": limits.priority,
                },
            }
        ],
    }


def encoded(accounts: Sequence[Account]) -> bytes:
    """Returns the definitions file, indented, with a newline at its end."""
    return orjson.dumps(definitions(accounts), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _user(account: Account) -> dict[str, Any]:
    return {
        "name": account.user.name,
        "password_hash": hashed(account.password) if account.password else "",
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": [],
        "limits": dict(account.user.limits),
    }


def hashed(password: str) -> str:
    """Returns the hash of a password as RabbitMQ stores it: base64 of a salt and SHA-256 of salt and password."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def chart_file() -> bytes:
    """Returns name and rights of each role's user, for the templates of the Helm chart."""
    rights = [{"name": u.name, "configure": u.configure, "write": u.write, "read": u.read} for u in role_users()]
    return orjson.dumps(rights, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


if __name__ == "__main__":
    sys.stdout.buffer.write(chart_file())
