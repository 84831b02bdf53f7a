"""Who calls, what the caller may do, and how much of it.

`callers.py` finds the caller of a request in `known_keys.py`, which knows those of the settings (`keys.py`) and of the
ledger (`stored_keys.py`). `quotas.py` counts documents and bytes against the limits of a key.
"""
