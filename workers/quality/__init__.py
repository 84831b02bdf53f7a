"""What sort of page it was, how good its text is likely to be, and whether it is an article at all."""
