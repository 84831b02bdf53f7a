"""Tells the kind of a pasted text: `tell` decides, the others say how much of a text has the form of their kind."""
