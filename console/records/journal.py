"""Interim."""


class JournalBlocked(OSError):
    """x."""
