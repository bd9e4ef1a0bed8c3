"""Reusable Textual widgets on plain values. They know no engine and import textual only."""
