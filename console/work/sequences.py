"""How much of a sequence is in another one."""

from __future__ import annotations

from collections.abc import Sequence


def common_length(wanted: Sequence[str], found: Sequence[str]) -> int:
    """Return the length of the longest common subsequence."""
    row = [0] * (len(wanted) + 1)
    for item in found:
        diagonal = 0
        for column, other in enumerate(wanted, 1):
            above = row[column]
            row[column] = diagonal + 1 if item == other else max(above, row[column - 1])
            diagonal = above
    return row[-1]
