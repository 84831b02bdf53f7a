"""HTML to a draft: one parse, metadata by our own resolvers, the text by a classifier of its blocks."""
