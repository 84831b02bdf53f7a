"""Recognises pages that appear instead of the requested page: challenges, consent, log-ins, paywalls, soft 404s.

`answer` judges what HTTP answered, before any parser runs: headers, redirects, the bytes of a page, its title (`titles`
has the words). `page_text` judges what a reader found on a page: its paragraphs, its heading, its buttons. Pure.
"""
