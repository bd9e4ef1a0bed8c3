"""Phase 5.2 as it was and under plans A, B and C: duration and load per key, rehearsed, so the machine does not matter."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

from benchmarks.report import Part, Target, progress, table
from benchmarks.startup import program

PROFILES = ("phase-analysis", "corrected-0824", "repaired")
PLANS = {"as-is": "as it was", "serial": "A", "batches-of-3": "B", "key-pool": "C"}
_HEAD = ("profile", "plan", "minutes", "peak QPS", "at once", "models", "429s", "warns", "choose")


def run() -> Part:
    """Compare the plans under every profile."""
    part = Part("policies")
    rows: list[list[str]] = []
    walls: list[float] = []
    for profile in PROFILES:
        command = [program(), "plan", "--json", "--profile", profile, "--phase", "5.2"]
        started = time.perf_counter()
        ended = subprocess.run(
            [*command, f"--compare-policies={','.join(PLANS)}"], capture_output=True, text=True, check=True
        )
        walls.append(time.perf_counter() - started)
        said: dict[str, Any] = json.loads(ended.stdout)
        progress(f"{profile}: {walls[-1]:.1f} s")
        for one in said["plans"]:
            rows.append([profile, *_row(one, chosen=one["name"] == said["choose"])])
            part.figures.append({"profile": profile, "plan": one["name"], **_figures(one)})
    part.say(
        "Phase 5.2, ten jobs of 100 tests on three keys of 10 requests/s, rehearsed.",
        "Peak QPS (any second), requests and models at once: those of the busiest key.",
        *table(_HEAD, rows),
    )
    crowded = max(one["models"] for one in part.figures if one["plan"] == "key-pool")
    part.targets = [
        Target("plan C: models on a key at once", crowded, 1, "less"),
        Target("tests without an answer", sum(one["unanswered"] for one in part.figures), 0, "less"),
        Target("comparison of 4 × 1,000 tests of some 6 requests", max(walls), 60, "less", "s"),
    ]
    return part


def _figures(one: dict[str, Any]) -> dict[str, Any]:
    rehearsal = one["rehearsal"]
    keys = rehearsal["keys"]
    return {
        "duration_s": rehearsal["duration_s"],
        "peak_qps": max(key["peak_qps"] for key in keys),
        "at_once": max(key["peak_in_flight"] for key in keys),
        "models": max(key["models_at_once"] for key in keys),
        "rate_limited": rehearsal["requests"].get("rate_limited", 0),
        "unanswered": rehearsal["unanswered"],
        "warnings": len(one.get("warnings", ())),
    }


def _row(one: dict[str, Any], *, chosen: bool) -> list[str]:
    figures = _figures(one)
    return [
        PLANS[one["name"]],
        f"{figures['duration_s'] / 60:.1f}",
        *(str(figures[name]) for name in ("peak_qps", "at_once", "models", "rate_limited", "warnings")),
        "*" if chosen else "",
    ]
