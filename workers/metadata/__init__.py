"""What a page says about itself: gather in one pass, read candidates from each source, resolve."""
