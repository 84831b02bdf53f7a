"""Writes Markdown and HTML of an article, from the same blocks as its text.

In reading order: `forms` writes what was asked for. `images` finds the article's images, `article_tree` builds a small
tree of its blocks, `inline` fills each with its words, links and emphasis; `allowed` says which characters and
addresses may stand there. `markdown` and `html` write the tree.
"""
