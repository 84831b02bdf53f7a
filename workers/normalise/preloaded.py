"""Importing this module loads the models of normalisation: a fork server can be told modules, not functions."""

from workers.normalise import dates, language

language.preload()
dates.preload()
