"""Documents come in.

`media_types.py` chooses: `documents.py` reads a request with one document, `post_lines.py` (with `lines.py`) and
`post_parts.py` (with `parts.py`) one with many, by way of `reading.py`, `entries.py`, `chunks.py` and `bulk.py`.
`idempotency.py` compares a body with that of the same key before, `batches.py` knows the batch that it belongs to (both
ask the ledger by way of `brief_ledger.py`), `admission.py` puts the document to the broker, `waits.py` waits for its
verdict. `extract.py` is a preview, which is not stored.
"""
