"""Durations counted in buckets that grow by 2 %: any quantile within 1 % of its value, mergeable, no samples kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import log
from typing import Annotated, Final

import msgspec

_GAMMA: Final = 1.02
_LOG_GAMMA: Final = log(_GAMMA)
LAST_BUCKET: Final = 2_300
"""Holds durations of 10^19 ns, which is over three hundred years."""

Counts = dict[
    Annotated[int, msgspec.Meta(ge=0, le=LAST_BUCKET)], Annotated[int, msgspec.Meta(ge=0, le=2**53)]
]
"""Bucket → how many durations fell into it; checked where it is read from a file."""


def bucket_of(ns: int) -> int:
    """Return the bucket of a duration; all below a nanosecond share the first."""
    if ns <= 0:
        return 0
    bucket = int(log(ns) / _LOG_GAMMA)
    return bucket if bucket < LAST_BUCKET else LAST_BUCKET


def middle_ms(bucket: int) -> float:
    """Return the middle of a bucket."""
    return _GAMMA ** (bucket + 0.5) / 1e6


def add_counts(to: dict[int, int], counts: Mapping[int, int]) -> None:
    """Add `counts` to those of `to`."""
    for bucket, count in counts.items():
        to[bucket] = to.get(bucket, 0) + count


def merged(several: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """Return the counts of all together."""
    total: dict[int, int] = {}
    for counts in several:
        add_counts(total, counts)
    return total


def quantile_ms(counts: Mapping[int, int], q: float, floor: int) -> float | None:
    """Return the `q`-th quantile (0 … 1) in ms, or None from fewer than `floor` samples."""
    total = sum(counts.values())
    if total < floor or not total:
        return None
    rank = q * (total - 1)
    seen = 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen > rank:
            return middle_ms(bucket)
    return None
