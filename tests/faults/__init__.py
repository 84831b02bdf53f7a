"""Faults on purpose, on private nodes: nothing that was answered 202 may be lost."""
