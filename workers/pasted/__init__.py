"""The reader of pasted text: what someone selected in a browser, with all that was in the way."""
