"""Estimates the quality of an article, and refuses pages that have none.

`assessment` looks at a page as a whole: it refuses walls and indexes, and flags what is doubtful. `confidence` is the
F1 to be expected of the text. `text_flags` looks at the text alone: short, repetitive, in several languages.
"""
