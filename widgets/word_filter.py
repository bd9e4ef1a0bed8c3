"""The filter that all lists have in common: every word must occur, whatever the case."""

from __future__ import annotations

from collections.abc import Iterable


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a filter, ready for `has_all`."""
    return tuple(text.casefold().split())


def has_all(words: Iterable[str], text: str) -> bool:
    """Return whether all words occur in a text."""
    folded = text.casefold()
    return all(word in folded for word in words)


def filter_note(text: str, shown: int, total: int, noun: str) -> str:
    """Say what is filtered and how much of it is left."""
    return f"filter: {text}   {shown:,} of {total:,} {noun}"


def nothing_left(text: str, total: int, noun: str) -> str:
    """Say that a filter leaves nothing, and what to do."""
    return f"nothing matches `{text}`: empty the filter to see all {total:,} {noun}"
