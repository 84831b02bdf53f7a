"""Settings, wiring, commands, brokers and the ledger: the code that uses environment, network, database and signals."""
