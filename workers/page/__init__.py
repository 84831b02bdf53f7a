"""Parses and measures a page: its tree, its text blocks, its head, its kind. It does not know about articles.

In reading order: `tree` parses HTML, with the shadow roots of `shadow`; `words` compares words; `class_names` and
`styles` interpret the names and styles of an element. `blocks` has the types of text blocks and their containers,
and `segment` cuts a tree into them: `tags` says what each tag means, `attributes` reads those of an element,
`containers` opens and closes containers, and `collect` joins the pieces of a block. `unread` recognises elements that
are not part of the text, `panels` those that a reader can open; `letters`, `formulas` and `raised` turn images,
formulas and exponents into text. `data_tables` tells tables of data from layouts. `head` reads title, `<meta>` and
JSON-LD. `declared` and `layout` compute features of a page, and `kind` estimates from them whether it is an article, a
listing, a forum, …
"""
