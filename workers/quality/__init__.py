"""Estimates the quality of an article, and refuses pages without one.

`assessment` reads a page as a whole: it refuses walls and indexes, and flags doubtful pages. `confidence` estimates the
F1 of the text. `text_flags` reads the text alone: short, repetitive, in several languages.
"""
