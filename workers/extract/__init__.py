"""The reader of HTML: makes a draft of a page. A model classifies the page's text blocks.

In reading order: `html_reader` runs the steps. `body` finds the article's blocks: `text_features` has the features of
single blocks, `page_arrays` the page as arrays, `readability` the containers with the most prose; `block_features`
collects all features for the model. `trafilatura_vote` adds a second opinion if the model is unsure, `together`
keeps lists, tables and code whole, `choose` decides, and `render` writes the blocks as text.
"""
