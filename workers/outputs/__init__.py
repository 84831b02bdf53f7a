"""Markdown and HTML of an article, from the very blocks that its text is made of."""
