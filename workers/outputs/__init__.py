"""Writes Markdown and HTML of an article, from the same blocks as its text.

In reading order: `forms` writes the requested formats. `images` finds the article's images (with `srcset`), `structure`
puts its blocks into their lists, quotes, tables (`grid`) and code (`code`), for plain text, too. `article_tree` makes a
small tree of HTML of it, `inline` fills each element with words, links and emphasis; `allowed` limits characters and
URLs. `markdown` and `html` write the tree.
"""
