"""What is the same for each request.

In the order of a request: `connections.py` (how many), `protocol.py` (times and sizes of headers), `hosts.py` (names of
this server), `middlewares.py` (errors, keys, metrics), `parameters.py` (the query), `prefer.py` and `accept.py` (what
the client asks for), `bodies.py` (reads and decompresses) with `json_bodies.py` (JSON that a type describes).
"""
