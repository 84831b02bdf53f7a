"""From a draft to an article: everything in standard form, the caller's word heard, figures taken."""
