"""The spans of what is recorded: one for each event, as long as its transaction took."""

import time
from collections.abc import Sequence

from contract.spans import DOCUMENT_ID, processing
from contract.topology import LOG
from contract.tracing import SpanKind, Tracer
from runtime.ledger.batch import FactBatch
from runtime.ledger.facts import VerdictFact


def tell_recorded(tracer: Tracer, readings: Sequence[FactBatch], began_s: float) -> None:
    """Makes the spans of the events that are in the ledger, which were written since the Unix time `began_s`."""
    if not tracer.is_on:
        return
    ended_s = time.time()
    facts = (noted.fact for reading in readings for noted in reading.noted)
    for fact in facts:
        if isinstance(fact, VerdictFact) and fact.trace is not None and fact.trace.is_sampled:
            attributes = {**processing(LOG, f"{fact.document_id}.{fact.run}"), DOCUMENT_ID: fact.document_id}
            span = tracer.start(
                f"process {LOG}", SpanKind.CONSUMER, parent=fact.trace, attributes=attributes, began_s=began_s
            )
            span.end(ended_s)
