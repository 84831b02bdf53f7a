"""The reader of pasted text: makes a draft of text that somebody copied from a page, with menus and adverts in it.

In reading order: `text_reader` runs the steps. Text to lines: `pasted_lines`, with `strip_html`, `strip_markdown`,
`code_among_prose`, `repair`, `quoted_replies`, `wrapping`, `lines`. `kinds` tells what kind of text it is,
`keep_whole` what therefore stays. Rules: `noise_rules` remove lines by their words (`phrases` and `word_lists` have
them), `region` finds where the article is, `mail_header`, `byline` (with `author_lines`), `stated_dates` and
`title_rules` read its head, and `line_rules` applies them all. Model: `line_features`, `line_shapes` and
`line_windows` have the features of lines, `classify_lines` decides, `whole_text` says whether there is anything to
remove, `title_features` and `title_model` choose the title, `author_mentions`, `author_features` and `author_model` the
authors, `text_confidence` estimates how good the text is.
"""
