"""A message on its way to the broker."""

from dataclasses import dataclass
from typing import Final

from aio_pika import Message

from contract.labels import Destination

# Chosen: a message of up to this size is copied to the socket's buffer without waiting for room. So at most 16 MiB wait
# there, with 256 messages that are not confirmed (`RabbitLimits.outstanding_confirms`).
UNDRAINED_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message and its destination. `to` names it in metrics; `mandatory` requires that a queue takes the message.

    `stream` names the one stream that the message goes to, if it goes to a stream.
    """

    message: Message
    exchange: str
    key: str
    to: Destination
    mandatory: bool = True
    stream: str | None = None
