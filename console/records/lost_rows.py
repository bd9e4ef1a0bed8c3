"""What is said of a run whose journal holds fewer results than the run ended with."""

from __future__ import annotations


def lost_text(lost: int, done: int, unit: str) -> str:
    """Say that a run did more than its journal holds, which only loses lines when somebody takes them out."""
    return (
        f"lines of the journal are missing: at its end the run had {done + lost:,} {unit} done, "
        f"and rows of {lost:,} of them are gone"
    )
