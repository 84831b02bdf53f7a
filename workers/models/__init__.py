"""Every trained model: `boosted_trees` loads and evaluates them, the `.npz` files beside it are their weights.

| weights | estimate | trained by |
| --- | --- | --- |
| `page_blocks` | which text blocks of a page are the article | `bench.train_blocks` |
| `page_authors` | which names on a page are the authors | `bench.train_authors` |
| `page_kind_*` | what kind of page it is | `bench.train_quality` |
| `page_confidence` | the expected F1 of a page's text | `bench.train_quality` |
| `pasted_lines` | which lines of pasted text are the article | `bench.train_lines` |
| `pasted_whole` | whether all of a pasted text is the article | `bench.train_lines` |
| `pasted_titles` | which line is the title | `bench.train_lines` |
| `pasted_authors` | which names in pasted text are the authors | `bench.train_lines` |
| `pasted_confidence` | the expected F1 of pasted text | `bench.train_lines` |
"""
