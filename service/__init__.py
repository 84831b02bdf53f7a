"""The HTTP API. `routes.py` lists what it answers, `app.py` puts it together.

| package | holds |
| --- | --- |
| `api/` | each operation as data, and the OpenAPI and AsyncAPI documents |
| `http/` | connections, headers and bodies, whatever is asked |
| `access/` | who calls: API keys, their scopes, rates and quotas |
| `posting/` | documents come in: one, many, or one for a preview |
| `lookups/` | documents are looked up, cancelled, erased and processed again |

| `events/` | the event stream: whole, filtered, or behind a named consumer |
| `webhooks/`, `replays/` | who gets events posted, and which are sent again |

Beside them: dead letters (`dead*.py`), all types of problems (`problems.py`) and how a request is refused with one
(`refusals.py`), capacity, pages about the service, and what handlers work with (`context.py`).
import-linter keeps the order of all of these (`pyproject.toml`).
"""
