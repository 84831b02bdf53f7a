"""The queue side: fetch, extract, normalise, and what to do when that fails."""
