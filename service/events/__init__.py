"""GET /v1/events: the event log over HTTP, as server-sent events or as lines of JSON.

| file | holds |
| --- | --- |
| `query.py` | what a request asks for |
| `stream_filter.py` | which events a stream has: patterns and a filter |
| `start.py` | where in the log it begins and ends |
| `streams.py` | the two forms of a stream, and the places that a server has for them |
| `consumers.py` | named consumers over HTTP: listed, committed, removed |
| `consuming.py` | reads the log for a named consumer |
| `tokens.py` | makes event tokens |
| `feed.py` | the handler: reads the log and sends what was asked for |
"""
