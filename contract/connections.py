"""What an operator sees of the connections to Copydesk's own ports: the values of metric labels."""

from enum import StrEnum


class Listener(StrEnum):
    """A port that Copydesk listens on."""

    API = "api"
    OPS = "ops"


class Cut(StrEnum):
    """Why Copydesk ended a connection that its peer would have kept."""

    FIRST_BYTE_TIMEOUT = "first_byte_timeout"  # connected, and no request began
    HEADER_TIMEOUT = "header_timeout"  # a request's header began and did not end
    IDLE_TIMEOUT = "idle_timeout"  # no further request after an answer
    SEND_TIMEOUT = "send_timeout"  # the answer was not taken
    GAVE_WAY = "gave_way"  # it waited for longest when a new one came and the bound was reached
    TOO_MANY = "too_many"  # refused: all connections were at work
    TOO_MANY_FROM_ADDRESS = "too_many_from_address"  # refused: those of this address were
