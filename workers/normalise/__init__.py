"""Brings a draft into standard form, so that the same document gives the same article, however it was written.

In reading order: `article` puts it together. `text` unifies characters and spaces, `language` identifies the language,
`dates` reads dates, `canonical_url` URLs; `fields` decides between the caller's metadata and the document's own.
`length` counts and makes the excerpt, `fingerprint` hashes.
"""
