"""Seeds and examples of random tests: some for every run of the suite, all of them for `make test-all`."""

from __future__ import annotations

import os
from typing import Any

import pytest


def seeds(number: int, *, quick: int) -> list[Any]:
    """Return `number` seeds, of which all but the first `quick` are marked slow."""
    return [*range(quick), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(quick, number))]


def examples(number: int) -> int:
    """Return how many of `number` examples hypothesis makes up: all where THOROUGH is set, else a third.

    Each run makes up others, so that the thirds of many runs are more than one run of all.
    """
    return number if os.environ.get("THOROUGH") else max(10, number // 3)
