"""Reads the metadata of a page. One pass collects sources, then a resolver for each field chooses among them.

In reading order: `signals` says which names, links and first words show that an element may hold metadata; `elements`
reads its text and its region of the page; `jsonld` reads JSON-LD; `sources` makes the one pass and holds the results.
`title` resolves the title. Authors: `byline_words` and `person_names` find names in words, `author_mentions` all
places that name somebody, `author_candidates` computes features of each name, `authors` chooses. Dates:
`calendars` and `month_names` read numerals, years and months, `written_dates` and `relative_dates` dates, `date_labels`
the words that say what a date is of, `shown_dates` the dates near the heading, and `date_votes` weighs all. `site` has
the fields that need no vote; `resolve` returns all.
"""
