"""Tables for people, and targets that say how far they are reached."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

OTHERS = (
    "of a core, taken by other processes (interrupts included); much of it makes rates and times mean little."
)


DISTURBED = 0.1
"""Above this share of a core taken by others, a target says so: its figure is one of a shared machine."""


@dataclass(frozen=True)
class Target:
    """One promise and what was measured."""

    name: str
    value: float
    target: float
    better: Literal["more", "less"]
    unit: str = ""
    others: float = 0.0
    """Share of a core that other processes took meanwhile."""

    @property
    def reached(self) -> bool:
        return self.value >= self.target if self.better == "more" else self.value <= self.target

    @property
    def fraction(self) -> float:
        """How much of the target is there: 1 is all of it, whichever way is better."""
        if self.better == "more":
            return self.value / self.target
        return self.target / self.value if self.value > 0 else float("inf")

    def line(self) -> str:
        sign = "≥" if self.better == "more" else "≤"
        verdict = "REACHED" if self.reached else f"not reached: {self.fraction:.2f} of the target"
        unit = f" {self.unit}" if self.unit else ""
        disturbed = (
            f" (disturbed: others took {self.others:.0%} of a core)" if self.others > DISTURBED else ""
        )
        return f"{self.name}: {self.value:.3g}{unit} (target {sign} {self.target:g}{unit}) — {verdict}{disturbed}"


@dataclass
class Part:
    """What one part of the benchmarks found."""

    name: str
    text: list[str] = field(default_factory=list)
    figures: list[dict[str, Any]] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)

    def say(self, *lines: str) -> None:
        """Print at once, so that a long run shows where it is, and keep for the file."""
        for line in lines:
            print(line, flush=True)
        self.text.extend(lines)


def progress(text: str) -> None:
    """Tell somebody who waits what is done; the tables come at the end of a part."""
    print(f"  … {text}", file=sys.stderr, flush=True)


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Return `median (least–most)`."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return lines with aligned columns; the first column to the left, all others to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        first = cells[0].ljust(widths[0])
        return "  ".join(
            [first, *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))]
        )

    return [line(head), "  ".join("-" * width for width in widths), *(line(row) for row in rows)]


def summary(parts: Sequence[Part]) -> list[str]:
    """Return one line for each target, and how many are reached."""
    targets = [target for part in parts for target in part.targets]
    if not targets:
        return []
    reached = sum(target.reached for target in targets)
    return [
        "",
        f"Targets: {reached} of {len(targets)} reached",
        *(f"  {target.line()}" for target in targets),
    ]


def as_json(parts: Sequence[Part], machine: dict[str, Any]) -> dict[str, Any]:
    return {
        "machine": machine,
        "parts": {part.name: part.figures for part in parts},
        "targets": [
            {
                "name": target.name,
                "value": target.value,
                "target": target.target,
                "better": target.better,
                "unit": target.unit,
                "reached": target.reached,
                "fraction": target.fraction,
                "others": target.others,
            }
            for part in parts
            for target in part.targets
        ],
    }
