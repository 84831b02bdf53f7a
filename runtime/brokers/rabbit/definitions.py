"""The topology as a RabbitMQ definitions file: `python -m runtime.brokers.rabbit.definitions` prints it."""

import sys
from typing import Any

import orjson

from contract.topology import Binding, ExchangeBinding, Topology, design

VHOST = "/"


def definitions(topology: Topology, vhost: str = VHOST) -> dict[str, Any]:
    """Returns the topology, policies included, as `rabbitmqctl import_definitions` takes it."""
    return {
        "vhosts": [{"name": vhost}],
        "exchanges": [
            {"name": e.name, "vhost": vhost, "type": e.kind, "internal": False, **_durable()}
            for e in topology.exchanges
        ],
        "queues": [
            {"name": q.name, "vhost": vhost, **_durable(), "arguments": dict(q.arguments)} for q in topology.queues
        ],
        "bindings": [
            {"source": b.exchange, "vhost": vhost, **_destination(b), "routing_key": b.key, "arguments": {}}
            for b in topology.bindings
        ],
        "policies": [
            {
                "vhost": vhost,
                "name": p.name,
                "pattern": p.pattern,
                "apply-to": p.apply_to,
                "definition": dict(p.definition),
                "priority": p.priority,
            }
            for p in topology.policies
        ],
    }


def encoded(topology: Topology) -> bytes:
    """Returns the definitions file of `topology`, indented, with a newline at its end."""
    return orjson.dumps(definitions(topology), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _destination(binding: Binding | ExchangeBinding) -> dict[str, str]:
    if isinstance(binding, Binding):
        return {"destination": binding.queue, "destination_type": "queue"}
    return {"destination": binding.to, "destination_type": "exchange"}


def _durable() -> dict[str, Any]:
    return {"durable": True, "auto_delete": False, "arguments": {}}


if __name__ == "__main__":
    sys.stdout.buffer.write(encoded(design()))
