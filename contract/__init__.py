"""The contract with other processes and operators: messages, verdicts, broker protocols, topology, metric names."""
