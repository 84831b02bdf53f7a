"""Examines RabbitMQ, with the user that the URL names."""

import re

from contract.broker import BrokerUnavailable
from contract.topology import Topology
from runtime.brokers.rabbit.examination import BrokerState, Publishing, edges_of_log, examined
from runtime.doctor.finding import Finding, doubtful, well, wrong

PART = "broker"
OLDEST = (3, 10)
"""The oldest RabbitMQ that has what Copydesk needs: streams, and dead letters that are moved at least once."""

_NO_WORK = "without RabbitMQ no document is taken, and none is processed"


async def examine(url: str, topology: Topology) -> list[Finding]:
    """Returns what is found at `url`."""
    try:
        state = await examined(url, topology)
    except BrokerUnavailable as error:
        said, _, remedy = str(error).rpartition(": ")
        return [wrong(PART, said, _NO_WORK, remedy)]
    return [_version(state.version), *_topology(state), *_publishing(state.publishing)]


async def log_edges(url: str) -> tuple[int, int] | None:
    """Returns the offsets of the oldest and the newest event; None if the log is empty, or cannot be read."""
    try:
        oldest, newest = await edges_of_log(url)
    except BrokerUnavailable:
        return None  # `examine` has said why
    return (oldest, newest) if newest >= oldest else None


def _version(version: str) -> Finding:
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST:
        why = "older ones may lose what they dead-letter"
        return wrong(PART, f"RabbitMQ {version} is too old", why, "upgrade it to 3.10 or later")
    return well(PART, f"RabbitMQ {version} answers")


def _topology(state: BrokerState) -> list[Finding]:
    found = [
        (doubtful if difference.works else wrong)(
            "topology",
            f"{difference.subject}: {difference.found}",
            "its limit may not hold" if difference.works else "no process begins before it is as it should be",
            difference.remedy,
        )
        for difference in state.differences
    ]
    return found or [well("topology", "exchanges and queues are as they should be")]


def _publishing(state: Publishing) -> list[Finding]:
    match state:
        case Publishing.CONFIRMED:
            return [well("publishing", "a message was confirmed")]
        case Publishing.BLOCKED:
            why = "the API answers 503, and no verdict is confirmed"
            remedy = "see `rabbitmqctl status`: free memory or disk on the broker, or raise its limits"
            return [wrong("publishing", "the broker blocks publishers: a memory or disk alarm", why, remedy)]
        case Publishing.SILENT:
            why = "the API answers 503, and no verdict is confirmed"
            return [wrong("publishing", "no confirm within 5 s", why, "see the log of RabbitMQ, and its load")]
        case Publishing.REFUSED:
            why = "this user may not even publish the probes of readiness"
            return [wrong("rights", "the user may not publish", why, "give it the rights that `copydesk users` prints")]
    return []  # there is nothing to publish to; the topology says so
