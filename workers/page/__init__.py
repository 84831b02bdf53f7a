"""Parses and measures a page: its tree, its text blocks, its head, its kind. It does not know about articles.

In reading order: `tree` parses HTML, with the shadow roots of `shadow`; `words` compares words; `class_names` and
`styles` say what the names and styles of an element mean. `blocks` has the types of text blocks and their containers,
and `segment` cuts a tree into them: `tags` says what each tag means, `attributes` reads those of an element,
`containers` opens and closes containers, and `collect` puts the pieces of a block together. `unread` knows what is none
of the text, `panels` what a reader can open; `letters`, `formulas` and `raised` write what is no plain text.
`data_tables` tells tables from layouts. `head` reads title, `<meta>` and JSON-LD. `declared` and `layout` measure what
a page declares and what it looks like, and `kind` tells from both whether it is an article, a listing, a forum, …
"""
