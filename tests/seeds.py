"""Seeds of random tests: some for every run of the suite, the rest for `-m slow`."""

from __future__ import annotations

from typing import Any

import pytest


def seeds(number: int, *, quick: int) -> list[Any]:
    """Return `number` seeds, of which all but the first `quick` are marked slow."""
    return [*range(quick), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(quick, number))]
