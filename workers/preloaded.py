"""Loads readers, models and tables at import, because a fork server preloads modules and cannot call functions."""

from concurrent.futures import ThreadPoolExecutor

from workers.normalise import language

with ThreadPoolExecutor(1) as _beside:
    # Its model takes 0.4 s to decompress, a third of the whole, and decompressing does not hold the interpreter's lock.
    _language = _beside.submit(language.preload)

    import charset_normalizer  # noqa: F401 - `workers.decode` loads it only when it is needed

    from workers import pipeline  # noqa: F401
    from workers.metadata import author_candidates
    from workers.models.boosted_trees import load_model
    from workers.normalise import dates
    from workers.page import kind
    from workers.pasted import classify_lines
    from workers.quality import confidence

    dates.preload()
    load_model("page_blocks")
    load_model("page_authors", author_candidates.FEATURES)
    load_model("page_confidence", confidence.CONFIDENCE_FEATURES)
    kind.load_kind_models()
    classify_lines.load_text_models()

_language.result()
