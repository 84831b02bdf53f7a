"""The brokers: each implements `contract.broker.Broker`, and all pass the same suite."""
