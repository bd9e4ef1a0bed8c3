"""The arguments of `capacity ramp` and `capacity target` that a form stands for: what is started, and shown to be copied."""

from __future__ import annotations

import math
import shlex
from typing import Final

from console.screens.capacity.needs import SearchAsked

PROGRAM: Final = "ultra-console"
_USUAL: Final = SearchAsked()
_WINDOW_S: Final = 5.0
"""What the command takes for the least window; a rung of the ladder lasts a third of a level, and is no shorter."""


def arguments(asked: SearchAsked) -> list[str]:
    """Return the arguments of the program; only what differs from what it does by itself, but for profile and model."""
    said = ["capacity", asked.kind, "--profile", asked.profile]
    for change in asked.changes:
        said += ["--set", change]
    said += ["--model", asked.model]
    if asked.kind == "target" and asked.qps is not None:
        said += ["--qps", number(asked.qps)]
    for flag, value, usual in (
        ("--max-concurrency", asked.most, _USUAL.most),
        ("--random-input-len", asked.input_len, _USUAL.input_len),
        ("--random-output-len", asked.output_len, _USUAL.output_len),
    ):
        if value != usual:
            said += [flag, str(value)]
    said += _pace(asked)
    for slo in asked.slos:
        said += ["--slo", slo]
    for flag, budget in (
        ("--budget-seconds", asked.budget_s),
        ("--budget-requests", asked.budget_requests),
        ("--budget-tokens", asked.budget_tokens),
    ):
        if budget is not None:
            said += [flag, number(budget)]
    for address in asked.server_metrics:
        said += ["--server-metrics", address]
    return [
        *said,
        *(flag for flag, on in (("--each", asked.each), ("--lift-workers", asked.lift_workers)) if on),
    ]


def command_line(asked: SearchAsked) -> str:
    """Return the command as a shell takes it."""
    return shlex.join([PROGRAM, *arguments(asked)])


def number(value: float) -> str:
    """Write a number as options take it."""
    return f"{value:.10g}"


def _pace(asked: SearchAsked) -> list[str]:
    if asked.kind == "target":
        return [] if asked.level_s == _USUAL.level_s else ["--window", number(asked.level_s)]
    said: list[str] = []
    if asked.max_ttft_ms != _USUAL.max_ttft_ms:
        said += ["--max-ttft", number(asked.max_ttft_ms)]
    if asked.level_s != _USUAL.level_s:
        said += ["--level-seconds", number(asked.level_s)]
    if asked.level_s / 3 < _WINDOW_S:
        said += ["--window-seconds", number(math.floor(2 * asked.level_s / 3) / 2)]
    return said
