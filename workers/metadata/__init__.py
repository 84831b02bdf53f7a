"""Reads the metadata of a page. One pass collects sources, then a resolver for each field chooses among them.

In reading order: `signals` says which names, links and first words make an element worth asking; `elements` says what
such an element holds and where on the page it stands; `jsonld` reads JSON-LD; `sources` makes the one pass and holds
all of it. `title` resolves the title. Authors: `byline_words` and `person_names` find names in words, `author_mentions`
every name with what mentions it, `author_candidates` measures each name, `authors` chooses. Dates: `written_dates`
reads dates, `date_votes` weighs them. `site` has the fields that need no vote, and `resolve` puts them all together.
"""
