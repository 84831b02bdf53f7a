"""Importing this module loads models and tables: a fork server can be told modules, not functions."""

from workers.metadata import author_candidates
from workers.models.boosted_trees import load_model
from workers.normalise import dates, language
from workers.page import kind
from workers.pasted import classify_lines
from workers.quality import confidence

language.preload()
dates.preload()
load_model("page_blocks")
load_model("page_authors", author_candidates.FEATURES)
load_model("page_confidence", confidence.CONFIDENCE_FEATURES)
kind.load_kind_models()
classify_lines.load_text_models()
