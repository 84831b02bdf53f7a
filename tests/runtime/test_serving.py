"""The effects of settings on the API."""

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from contract.metrics import Metrics
from runtime import serving
from runtime.errors import StartError
from runtime.settings import load
from service.access.known_keys import ACCESS
from service.context import KEEPING
from tests.service.memory_broker import MemoryBroker

KEYS = ("ann:one", "bob:two")


def built(**given: object) -> web.Application:
    settings = load({"api_keys": KEYS, **given}, {})
    metrics = Metrics(CollectorRegistry())
    return serving.build_api(settings, MemoryBroker(), metrics, serving.LedgerParts(), None)


def test_the_answer_to_an_erasure_knows_how_much_the_log_holds() -> None:
    on_rabbit = load({"amqp_url": "amqp://127.0.0.1/", "log_days": 3, "log_bytes": 10**9}, {})
    assert serving.keeping(on_rabbit).log == {"days": 3, "bytes": 10**9}
    assert serving.keeping(load({}, {})).log == {"events": 100_000}


@pytest.mark.parametrize("keeps", [True, False])
def test_the_setting_says_whether_content_is_kept(keeps: bool) -> None:
    app = built(keep_input=keeps)
    assert app[KEEPING].input is keeps


def test_operators_are_names_of_keys() -> None:
    assert built(operators="ann, bob")[ACCESS].operators == {"ann", "bob"}
    with pytest.raises(StartError, match="COPYDESK_OPERATORS: no API key has the name ops, ops2"):
        built(operators="ann,ops,ops2")
