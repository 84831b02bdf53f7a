"""What touches the world: settings, wiring, the command line, processes, brokers, logs."""
