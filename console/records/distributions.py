"""Figures in ns made into distributions in ms, percentiles only where there are samples enough."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from console.records.percentile import enough, shortfall
from console.records.summary_types import Distribution, Wait

QUANTILES: Final = (50, 90, 95, 99)
_NS_PER_MS: Final = 1e6
_NS_PER_S: Final = 1e9

Found = Mapping[str, Any]
"""Aggregates of one group by name: `ttft_n`, `ttft_mean`, `ttft_p95` …"""


def distribution(found: Found, name: str, *, approximate: bool = False) -> Distribution:
    """Return the figures `name_n`, `name_mean` … of a group; absent ones are those of no samples."""
    n = int(found.get(f"{name}_n", 0))
    return Distribution(
        n=n,
        mean_ms=_ms(found.get(f"{name}_mean")),
        std_ms=_ms(found.get(f"{name}_std")),
        min_ms=_ms(found.get(f"{name}_min")),
        max_ms=_ms(found.get(f"{name}_max")),
        p50_ms=_ms(found.get(f"{name}_p50")) if enough(n, 50) else None,
        p90_ms=_ms(found.get(f"{name}_p90")) if enough(n, 90) else None,
        p95_ms=_ms(found.get(f"{name}_p95")) if enough(n, 95) else None,
        p99_ms=_ms(found.get(f"{name}_p99")) if enough(n, 99) else None,
        notes={f"p{q}": shortfall(n, q) for q in QUANTILES if not enough(n, q)},
        approximate=approximate,
    )


def wait(found: Found, name: str) -> Wait:
    """Return the same figures as a wait."""
    n = int(found.get(f"{name}_n", 0))
    return Wait(
        n=n,
        mean_ms=_ms(found.get(f"{name}_mean")),
        p95_ms=_ms(found.get(f"{name}_p95")) if enough(n, 95) else None,
        max_ms=_ms(found.get(f"{name}_max")),
        total_s=int(found.get(f"{name}_sum", 0)) / _NS_PER_S,
        notes={} if enough(n, 95) else {"p95": shortfall(n, 95)},
    )


def _ms(value_ns: float | None) -> float | None:
    return None if value_ns is None else value_ns / _NS_PER_MS
