"""Made-up runs, one of each state, and a comparison of two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from console.screens.results.places import Place
from console.screens.results.sheet import Column, Listed, Row
from console.screens.runs.needs import Comparison, RunChoice, Weight
from console.vocabulary.errors import ConsoleError

HOME = Path("/runs")
LIVE = "20261120-231507-5.1-sim"


def run(
    name: str, title: str, profile: str, kind, done, planned, simulated: bool, started: str, **more
) -> RunChoice:
    return RunChoice(name, HOME / name, title, profile, kind, done, planned, simulated, started, **more)


RUNS = (
    run(LIVE, "5.1", "sim", "live", 338, 800, True, "2026-11-20T23:15:07+00:00", took_s=2630.0),
    run(
        "20261119-080100-5.2-mine",
        "5.2",
        "mine",
        "finished",
        1000,
        1000,
        False,
        "2026-11-19T08:01:00+00:00",
        took_s=11_052.0,
    ),
    run(
        "20261118-090000-5.1-mine",
        "5.1",
        "mine",
        "finished",
        790,
        800,
        False,
        "2026-11-18T09:00:00+00:00",
        took_s=511.0,
    ),
    run(
        "20261118-024000-5.1-mine",
        "5.1",
        "mine",
        "partial",
        12,
        800,
        False,
        "2026-11-18T02:40:00+00:00",
        took_s=31.0,
    ),
    run(
        "20261117-100000-5.1-sim",
        "5.1",
        "sim",
        "interrupted",
        404,
        800,
        True,
        "2026-11-17T10:00:00+00:00",
        took_s=90.0,
    ),
    run(
        "20261001-000000-old",
        "",
        "",
        "partial",
        None,
        None,
        False,
        "",
        error="run.toml: is not a run file: Expected `str`, got `int`",
    ),
)


def comparison() -> Comparison:
    """Return two runs of which only speeds may not be compared."""
    titles = ("full % 1", "full % 2", "diff", "95% CI", "Holm", "pairs", "success 1", "success 2")
    columns = (Column("model", "model"), *(Column(title, title, figures=True) for title in titles))
    rows = []
    for name, one, two, low, high, p in (
        ("qwen2.5-72b-instruct", 83.3, 88.3, -2.1, 11.8, 0.375),
        ("qwen2.5-7b-instruct", 61.0, 44.0, -28.4, -5.1, 0.004),
        ("all", 72.1, 66.2, -12.0, 0.4, 0.061),
    ):
        texts = (
            f"{one}%",
            f"{two}%",
            f"{two - one:+.1f}",
            f"{low:+.1f} … {high:+.1f}",
            f"{p:.3f}"[1:],
            "100",
            "91.0%",
            "88.0%",
        )
        keys = (one, two, two - one, low, p, 100, 0.91, 0.88)
        total = name == "all"
        rows.append(Row(name, (name, *texts), (name, *keys), tone="strong" if total else "", total=total))
    return Comparison(
        (
            "20261118-090000-5.1-mine  5.1, profile mine: finished, 790 of 800 tests done",
            "20261119-080100-5.2-mine  5.2, profile mine: finished, 1000 of 1000 tests done",
        ),
        ("speeds: the client was the limit of the second run",),
        Listed(
            Place("models"),
            "by model",
            columns,
            tuple(rows),
            ("diff: share of full tests of the second run less that of the first",),
            noun="models",
        ),
    )


@dataclass
class FakeListing:
    """What the runs screen asks; what was deleted is gone."""

    found: list[RunChoice] = field(default_factory=lambda: list(RUNS))
    error: ConsoleError | None = None
    looks: int = 0
    compared: list[tuple[Path, Path]] = field(default_factory=list)
    deleted: list[Path] = field(default_factory=list)

    def runs(self) -> list[RunChoice]:
        self.looks += 1
        if self.error is not None:
            raise self.error
        return list(self.found)

    def compare(self, first: Path, second: Path, watch: Callable[[float], None]) -> Comparison:
        self.compared.append((first, second))
        watch(0.5)
        return comparison()

    def weight(self, run_dirs: Sequence[Path]) -> Weight:
        return Weight(len(run_dirs), 790 * len(run_dirs), 12_345_678)

    def delete(self, run_dirs: Sequence[Path]) -> list[str]:
        self.deleted += run_dirs
        self.found = [one for one in self.found if one.run_dir not in run_dirs]
        return []
