"""Which body came with an idempotency key: a digest of it, to tell a repeat from another document."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
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

    The lane makes no difference, nor do the charset that the content came in, white space and the order of names.
    Fields that have their defaults are left out, so that a later version with more fields comes to the same digest.
    """
    canonical = orjson.dumps(_without_defaults(submission), option=orjson.OPT_SORT_KEYS)
    return blake2b(canonical, digest_size=_DIGEST_BYTES).hexdigest()


def _without_defaults(value: Any) -> Any:  # noqa: ANN401 - a dataclass, or what one holds
    if not is_dataclass(value):
        return value
    given = ((name, getattr(value, name), default) for name, default in _parts(value.__class__))
    parts = {name: _without_defaults(part) for name, part, default in given if part != default}
    return {name: part for name, part in parts.items() if part != {}}


@cache
def _parts(kind: Any) -> Sequence[tuple[str, object]]:  # noqa: ANN401 - a dataclass
    """Returns the names and defaults of the fields that make a document another one."""
    return [(field.name, field.default) for field in fields(kind) if field.name not in _NOT_THE_DOCUMENT]
