"""Reads the metadata of a page. One pass collects sources, then a resolver for each field chooses among them.

In reading order: `signals` says which names, links and first words show that an element may hold metadata; `elements`
reads its text and its region of the page; `jsonld` reads JSON-LD; `sources` makes the one pass and holds the results.
`title` resolves the title. Authors: `byline_words` and `person_names` find names in words, `author_mentions` all
places that name somebody, `author_candidates` computes features of each name, `authors` chooses. Dates:
`written_dates` parses dates, `date_votes` weighs them. `site` has the fields that need no vote; `resolve` returns all.
"""
