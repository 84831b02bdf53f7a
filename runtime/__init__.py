"""The code that uses the environment, the broker client, the database and signals: settings, wiring, commands."""
