"""Asks the processes of a supervisor on their ops sockets, and puts their answers together."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final

import aiohttp
import orjson
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

PROCESS: Final = "process"
"""The label that says which of the processes counted."""

SUPERVISOR: Final = "supervisor"
"""Its value for the process that starts the others."""

_TIMEOUT_S = 2.0  # chosen: well under the 10 s of a scrape, and a probe's usual 3 s or more


class Scraped(Collector):
    """The metrics of several processes, each series with the label `process`.

    They are not added up here: a process that is started again begins at zero, and only `rate()` over each process's
    own series tells that from a loss. PromQL adds them up as it does for replicas.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        """Takes the answers in OpenMetrics' text format, which has exemplars, by process."""
        self._texts = texts

    def collect(self) -> Iterable[Metric]:
        """Yields the families, each with the samples of all processes."""
        families: dict[str, Metric] = {}
        for process, text in self._texts.items():
            for family in text_string_to_metric_families(text):
                whole = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                whole.samples += [
                    sample._replace(labels={PROCESS: process, **sample.labels}) for sample in family.samples
                ]
        return families.values()


async def scrape(sockets: Mapping[str, str], own: CollectorRegistry) -> Scraped:
    """Returns the metrics of the processes behind `sockets`, and `own`. Those that do not answer are left out."""
    accepts = {"Accept": CONTENT_TYPE_LATEST}
    answers = await asyncio.gather(*(_asked(path, "/metrics", accepts) for path in sockets.values()))
    texts = {process: answer.decode() for process, answer in zip(sockets, answers, strict=True) if answer}
    return Scraped({SUPERVISOR: generate_latest(own).decode()} | texts)


async def ready_states(sockets: Sequence[str]) -> dict[str, bool]:
    """Returns the conditions of the processes. Each is true if it is for all that listen, and at least one does.

    One that is being started again does not listen yet: the others get its connections.
    """
    answers = await asyncio.gather(*(_asked(path, "/readyz") for path in sockets))
    listening = [states for states in map(orjson.loads, filter(None, answers)) if states["api"]]
    conditions = {name: all(states[name] for states in listening) for states in listening for name in states}
    conditions.pop("ready", None)
    return {"api": bool(listening)} | conditions


async def _asked(path: str, target: str, headers: Mapping[str, str] | None = None) -> bytes:
    with suppress(aiohttp.ClientError, TimeoutError, OSError):
        connector = aiohttp.UnixConnector(path)
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.get(f"http://localhost{target}", headers=headers) as response,
        ):
            return await response.read()
    return b""
