"""The HTTP API: accepts submissions, streams events, answers look-ups, manages dead letters."""
