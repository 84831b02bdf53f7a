"""One file for each migration. A migration never changes after its release."""
