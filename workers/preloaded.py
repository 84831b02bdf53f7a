"""Importing this module loads models and tables: a fork server can be told modules, not functions."""

from workers.extract import body
from workers.metadata import authors
from workers.normalise import dates, language
from workers.quality import confidence, kind

language.preload()
dates.preload()
authors.load_weights()
body.load_weights()
confidence.model()
kind.models()
