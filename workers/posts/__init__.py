"""Finds the posts of a thread or of a page with questions and answers: who wrote what, and when.

In reading order: `find` asks the others and chooses, `structured_data` reads JSON-LD, `microdata` reads the attributes
of elements, `repeated` compares elements that look alike and have an author and a date each (`hints` finds these),
`words` has the text of an element.
"""
