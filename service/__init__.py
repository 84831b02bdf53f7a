"""The HTTP API. `routes.py` lists what it answers, `app.py` puts it together.

| package | holds |
| --- | --- |
| `api/` | each operation as data, and the OpenAPI and AsyncAPI documents |
| `http/` | connections, headers and bodies, whatever is asked |
| `access/` | who calls: API keys, their scopes, rates and quotas |
| `posting/` | documents come in: one, many, or one for a preview |
| `lookups/` | documents are looked up, cancelled, erased and processed again |

Beside them: dead letters (`dead*.py`), the event stream (`events.py`), problems, capacity, and pages about the service.
"""
