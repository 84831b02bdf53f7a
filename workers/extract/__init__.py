"""The reader of HTML: a page in, a draft out. A model classifies the page's text blocks.

In reading order: `html_reader` holds the thread. `body` finds the article's blocks: `text_features` measures the words
of single blocks, `page_arrays` the page as arrays, `readability` the container that holds most prose; `block_features`
puts them together for the model. `trafilatura_vote` adds a second opinion where the model is unsure, `together`
says what stays together, `choose` decides, and `render` writes the blocks as text.
"""
