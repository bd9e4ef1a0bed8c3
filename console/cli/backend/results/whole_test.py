"""One test with all that was said in it, as lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.records.read_traces import FoundTraces
from console.records.trace_text import full_lines
from console.vocabulary.trace import Traces


class WholeTest:
    """A test and its traces."""

    def __init__(self, test: Mapping[str, Any], found: FoundTraces, kept: Traces, *, simulated: bool) -> None:
        """Tell of `test`, a row of the table of tests."""
        self._test, self._found = test, found
        self._kept: Traces = kept
        self._simulated = simulated

    def lines(self, width: int) -> list[str]:
        """Return it as `tests --show` prints it."""
        lines = full_lines(self._test, self._found.attempts, self._kept, width, simulated=self._simulated)
        lines += [f"{damage.where} is not read: {damage.reason}" for damage in self._found.damages.located]
        return lines
