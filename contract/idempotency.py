"""Which body came with an idempotency key: a digest of it, to tell a repeat from another document."""

from dataclasses import dataclass, fields, is_dataclass
from hashlib import blake2b
from typing import Any, Final

import orjson

_DIGEST_BYTES: Final = 16  # chosen: two bodies collide with probability 2**-128
# They say when the document is processed, which key a line has, and how its text was decoded, not what becomes of it.
_NOT_THE_DOCUMENT: Final = frozenset({"lane", "idempotency_key", "decoded"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Idempotency:
    """The body that came with the idempotency key of a document.

    `body_digest` is that of `body_digest`. `checked` is False if the ledger could not be asked whether the key had come
    with another body before.
    """

    body_digest: str
    checked: bool = True


def body_digest(submission: Any) -> str:  # noqa: ANN401 - a dataclass, `contract.submission.Submission`
    """Returns the digest of a submission as 32 hex digits: the same for the same document, however it is written.

    The lane makes no difference, nor do white space and the order of names. Fields that have their defaults are left
    out, so that a later version with more fields comes to the same digest.
    """
    said = orjson.dumps(_said(submission), option=orjson.OPT_SORT_KEYS)
    return blake2b(said, digest_size=_DIGEST_BYTES).hexdigest()


def _said(value: Any) -> Any:  # noqa: ANN401 - a dataclass, or what one holds
    if not is_dataclass(value) or isinstance(value, type):
        return value
    parts = {field.name: _said(getattr(value, field.name)) for field in fields(value)}
    default = {field.name: _said(field.default) for field in fields(value)}
    return {
        name: part for name, part in parts.items() if part not in ({}, default[name]) and name not in _NOT_THE_DOCUMENT
    }
