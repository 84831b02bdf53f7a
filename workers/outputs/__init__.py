"""Writes Markdown and HTML of an article, from the same blocks as its text.

In reading order: `forms` writes what was asked for. `images` finds the article's images (with `srcset`), `structure`
puts its blocks into the lists, quotes, tables (`grid`) and code (`code`) that they stand in; plain text is written from
that, too. `article_tree` makes a small tree of HTML of it, `inline` fills each element with its words, links and
emphasis; `allowed` says which characters and addresses may stand there. `markdown` and `html` write the tree.
"""
