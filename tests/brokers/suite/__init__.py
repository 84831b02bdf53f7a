"""The rules for every broker: one set of tests, run unchanged against each implementation.

A broker's test module derives a class from `BrokerSuite` and gives it a `backend` fixture. The suite never has more
than one broker open on a backend's storage.
"""

from tests.brokers.suite.backend import Backend, DeadLetter
from tests.brokers.suite.batches import Batches
from tests.brokers.suite.dead_letters import DeadLetters
from tests.brokers.suite.dead_steps import bury, bury_many, everything, until_dead
from tests.brokers.suite.delays import Delays
from tests.brokers.suite.event_log import EventLog
from tests.brokers.suite.handlers import Decide, Gate, Recorder, publish
from tests.brokers.suite.intake import Intake
from tests.brokers.suite.records import Records
from tests.brokers.suite.redelivery import Redelivery
from tests.brokers.suite.requests import Requests
from tests.brokers.suite.slots import Slots
from tests.brokers.suite.steps import (
    assert_nothing_waits,
    consume_until,
    consuming,
    crash_holding,
    decide_new,
    put_all,
    subjects,
    take,
)
from tests.brokers.suite.stopping import Stopping
from tests.brokers.suite.verdicts import Verdicts
from tests.brokers.suite.waiting import Waiting
from tests.brokers.suite.watches import Watches

__all__ = [
    "Backend",
    "BrokerSuite",
    "DeadLetter",
    "Decide",
    "Gate",
    "Recorder",
    "assert_nothing_waits",
    "bury",
    "bury_many",
    "consume_until",
    "consuming",
    "crash_holding",
    "decide_new",
    "everything",
    "publish",
    "put_all",
    "subjects",
    "take",
    "until_dead",
]


class BrokerSuite(
    Intake,
    Slots,
    Redelivery,
    Delays,
    Verdicts,
    DeadLetters,
    EventLog,
    Records,
    Requests,
    Batches,
    Watches,
    Waiting,
    Stopping,
):
    """Derive from this, and give it a `backend` fixture that returns a `Backend` with empty storage."""
