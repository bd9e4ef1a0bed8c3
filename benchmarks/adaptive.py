"""The table of hidden limits: how much of each the adaptive controller uses, and how often it is refused."""

from __future__ import annotations

from dataclasses import asdict

from benchmarks.adaptive_scenarios import ACCEPTANCE, FURTHER, Measured, Scenario, measure
from benchmarks.report import Part, Target, progress, table

_HEAD = ("hidden limit", "used", "429 ≤5 min", "after", "whole run", "90 % after s", "latency s", "fairness")


def run(*, seeds: int) -> Part:
    """Simulate every scenario with `seeds` seeds each; on virtual time, so that the machine does not matter."""
    part = Part("adaptive")
    found: dict[str, list[Measured]] = {}
    for scenario in (*ACCEPTANCE, *FURTHER):
        found[scenario.name] = [measure(scenario, seed) for seed in range(seeds)]
        progress(scenario.name)
    part.say(
        f"Hidden limits found by the controller: discrete-event simulation on virtual time, worst of {seeds} seeds.",
        "Used and latency after the first five minutes; service lognormal, mean 3 s, sigma 0.6; 60 ms round trip.",
        *table(_HEAD, [_row(scenario, found[scenario.name]) for scenario in ACCEPTANCE]),
        "",
        "Beyond the acceptance table:",
        *table(_HEAD, [_row(scenario, found[scenario.name]) for scenario in FURTHER]),
    )
    for scenario in ACCEPTANCE:
        part.targets += _targets(scenario, found[scenario.name])
        for seed, one in enumerate(found[scenario.name]):
            figures = {name: value for name, value in asdict(one).items() if name != "changes"}
            part.figures.append({"scenario": scenario.name, "seed": seed, **figures})
    return part


def _row(scenario: Scenario, runs: list[Measured]) -> list[str]:
    return [
        scenario.name,
        f"{min(one.use for one in runs):.1%}",
        f"{max(one.refused_first for one in runs):.2%}",
        f"{max(one.refused_after for one in runs):.2%}",
        f"{max(one.refused for one in runs):.2%}",
        f"{max(one.to_90_s for one in runs):.0f}",
        f"{max(one.latency_s for one in runs):.2f}",
        f"{min(one.fairness for one in runs):.2f}" if scenario.lanes > 1 else "",
    ]


def _targets(scenario: Scenario, runs: list[Measured]) -> list[Target]:
    name = scenario.name
    targets = [
        Target(f"{name}: used", 100 * min(one.use for one in runs), 100 * scenario.least_use, "more", "%"),
        Target(f"{name}: 429 after", 100 * max(one.refused_after for one in runs), 1.0, "less", "%"),
        Target(f"{name}: 90 % after", max(one.to_90_s for one in runs), 120.0, "less", "s"),
    ]
    if scenario.slots is not None:
        targets.append(Target(f"{name}: latency", max(one.latency_s for one in runs), 6.0, "less", "s"))
    halved = [one.halved_s for one in runs if one.halved_s is not None]
    doubled = [one.doubled_s for one in runs if one.doubled_s is not None]
    if halved and doubled:
        targets.append(Target(f"{name}: halved, settled after", max(halved), 30.0, "less", "s"))
        targets.append(Target(f"{name}: doubled, used after", max(doubled), 90.0, "less", "s"))
    return targets
