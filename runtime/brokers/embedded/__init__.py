"""The embedded broker: one SQLite file, one writer thread, one process. For `copydesk up` and for fast tests."""

from runtime.brokers.embedded.broker import EmbeddedBroker
from runtime.brokers.embedded.folder import FolderError, FolderInUseError
from runtime.brokers.embedded.limits import EmbeddedLimits

__all__ = ["EmbeddedBroker", "EmbeddedLimits", "FolderError", "FolderInUseError"]
