"""The queue side: a job in, a verdict out; and between them a document in, an article out.

`worker` decides what happens to a job, and `retry` what follows from a failure; `fetch` fetches URLs; `children` are
parser processes, which run `parse_task`. In a child `pipeline` makes an article of a `document`: a reader (`extract`
for HTML, `pasted` for text) makes a `draft`, `quality` assesses it, `normalise` puts it into standard form, `outputs`
writes Markdown and HTML. Readers stand on `metadata`, what a page says of itself, and on `page`, what a page is;
`models` holds every trained model. Imports point one way: pyproject.toml has the order, import-linter keeps it.
"""
