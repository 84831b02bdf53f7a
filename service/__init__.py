"""The HTTP side: submissions come in, events go out."""
