"""The HTTP API as data: what each route takes and answers, and the OpenAPI 3.1 document that is made of it.

| file | holds |
| --- | --- |
| `operation.py` | the types: an operation, its parameters, bodies, answers and examples |
| `answers.py` | the JSON answers as types |
| `samples.py` | the one document that the examples are about |
| `posting.py`, `lookups.py`, `events.py`, `dead.py`, `about.py` | the operations |
| `document.py` | makes the document of them |

The handlers take the names of their parameters and the limits from here. `service/routes.py` joins operations and
handlers.
"""
