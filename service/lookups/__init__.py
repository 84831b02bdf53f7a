"""Documents that were posted before.

`ledger.py` asks the ledger. `document_list.py` searches, `document_view.py` shows one document and waits for it,
`decided.py` adds what the ledger does not know yet, `document_acts.py` cancels, erases and processes again.
"""
