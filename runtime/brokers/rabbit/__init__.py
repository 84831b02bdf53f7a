"""The RabbitMQ broker: sessions as scopes, confirms before acks, the log a stream."""

from runtime.brokers.rabbit.broker import RabbitBroker
from runtime.brokers.rabbit.limits import RabbitLimits

__all__ = ["RabbitBroker", "RabbitLimits"]
