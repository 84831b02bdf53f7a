"""The reader of HTML: makes a draft of a page. A model classifies the page's text blocks.

In reading order: `html_reader` runs the steps. `body` finds the article's blocks: `text_features` measures the words
of single blocks, `page_arrays` the page as arrays, `readability` the container that holds most prose; `block_features`
puts them together for the model. `trafilatura_vote` adds a second opinion where the model is unsure, `together`
says what stays together, `choose` decides, and `render` writes the blocks as text.
"""
