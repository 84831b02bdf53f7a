"""The HTTP API as data: what each route takes and answers, and the OpenAPI 3.1 document that is made of it.

| file | holds |
| --- | --- |
| `operation.py` | the types: an operation, its parameters, bodies, answers and examples |
| `answers.py`, `document_answers.py`, `dead_answers.py` | the JSON answers as types |
| `forms.py` | the media types of an event and its article, and the body of each |
| `samples.py` | the one document that the examples are about |
| `headers.py` | the headers of answers |
| `posting.py`, `extract.py`, `lookups.py`, `acts.py`, `batches.py` | the operations on documents and batches |
| `events.py`, `event_tokens.py`, `consumers.py`, `webhooks.py`, `callbacks.py`, `replays.py` | those on events |
| `dead.py`, `capacity.py`, `about.py` | those for operators and about the server |
| `document.py` | makes the OpenAPI document of them; `asyncapi.py` makes that of the events |

The handlers take the names of their parameters and the limits from here. `service/routes.py` joins operations and
handlers.
"""
