"""Recognises pages that appear instead of the requested page: challenges, consent, log-ins, paywalls, soft 404s.

`answer` checks an HTTP answer before any parser runs: headers, redirects, the bytes of a page, its title (`titles` has
the words). `page_text` checks the parts of a parsed page: its paragraphs, its heading, its buttons. Pure.
"""
