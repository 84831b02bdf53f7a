"""Parses and measures a page: its tree, its text blocks, its head, its kind. It does not know about articles.

In reading order: `tree` parses HTML; `words` compares words; `class_names` says what the names of an element mean;
`blocks` has the types of text blocks and their containers, and `segment` cuts a tree into them; `head` reads title,
`<meta>` and JSON-LD. `declared` and `layout` measure what a page declares and what it looks like, and `kind` tells from
both whether it is an article, a listing, a forum, …
"""
