"""What another process or an operator relies on: messages, verdicts, the broker protocol, topology, metric names."""
