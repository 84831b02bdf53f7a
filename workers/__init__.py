"""The worker: turns each job into a verdict, and on the way a document into an article.

`worker` decides what happens to a job, and `retry` what follows from a failure; `fetch` fetches URLs; `children` are
parser processes, which run `parse_task`. In a child `pipeline` makes an article of a `document`: a reader (`extract`
for HTML, `pasted` for text) makes a `draft`, `quality` assesses it, `normalise` puts it into standard form, `outputs`
writes Markdown and HTML. Readers stand on `metadata`, what a page says of itself, and on `page`, what a page is;
`models` holds every trained model. Imports point one way: pyproject.toml has the order, import-linter keeps it.
"""
