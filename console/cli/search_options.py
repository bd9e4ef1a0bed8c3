"""The options that all searches of `capacity` have: rules, pace, budgets, lanes, the server's own metrics."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.cli.option_group import option_group
from console.cli.search_saving import Saving
from console.vocabulary.errors import ConsoleError

if TYPE_CHECKING:
    from console.capacity.ramp import RampSettings
    from console.capacity.search_request import SearchRequest
    from console.capacity.seed004 import SeedSettings
    from console.capacity.target import TargetSettings
    from console.cli.prompt_options import Prompts


@dataclass(frozen=True, slots=True, kw_only=True)
class Searching:
    """How to search, as it was asked for."""

    min_success: float
    max_ttft_ms: float
    slos: tuple[str, ...]
    goodput: tuple[str, ...]
    level_seconds: float
    scan_seconds: float | None
    window_seconds: float
    quota_rest: float
    budget_seconds: float | None
    budget_requests: int | None
    budget_tokens: int | None
    lanes: tuple[str, ...]
    each: bool
    lift_workers: bool
    burstiness: float
    processes: int | None
    server_metrics: tuple[str, ...]
    result_dir: Path | None
    save_result: bool
    save_detailed: bool
    result_filename: Path | None
    out: Path | None
    detach: bool
    as_json: bool
    announce: bool

    @property
    def saving(self) -> Saving:
        """Which files are written besides the run directory."""
        return Saving(
            directory=self.result_dir,
            result=self.save_result,
            filename=self.result_filename,
            detailed=self.save_detailed,
        )

    def request(
        self,
        model: str,
        prompts: Prompts,
        *,
        ramp: RampSettings | None = None,
        target: TargetSettings | None = None,
        seed004: SeedSettings | None = None,
    ) -> SearchRequest:
        """Return the whole request.

        Raises:
            ConsoleError: if a limit is not readable, times contradict one another, or files cannot be written.
        """
        from console.capacity.rules import RuleSettings
        from console.capacity.search import Budget, Pace
        from console.capacity.search_request import SearchRequest
        from console.capacity.slo import parse_goodput, parse_slo

        scan_s = self.level_seconds / 3 if self.scan_seconds is None else self.scan_seconds
        if not self.window_seconds <= scan_s <= self.level_seconds:
            raise ConsoleError(
                f"--window-seconds {self.window_seconds:g}, --scan-seconds {scan_s:g} and --level-seconds "
                f"{self.level_seconds:g} must not fall",
                hint="a window is part of a level, and a rung of the ladder is no longer than any other level",
            )
        self.saving.check()
        return SearchRequest(
            model=model,
            ramp=ramp,
            target=target,
            seed004=seed004,
            rules=RuleSettings(
                min_success=self.min_success,
                max_ttft_ms=self.max_ttft_ms or None,
                slos=tuple(parse_slo(text) for text in self.slos),
            ),
            pace=Pace(
                least_window_s=self.window_seconds,
                most_s=self.level_seconds,
                scan_s=scan_s,
                quota_rest_s=self.quota_rest,
            ),
            budget=Budget(
                seconds=self.budget_seconds, requests=self.budget_requests, tokens=self.budget_tokens
            ),
            goodput=tuple(parse_goodput(text) for text in self.goodput),
            burstiness=self.burstiness,
            lanes=self.lanes,
            each=self.each,
            lift_workers=self.lift_workers,
            seed=prompts.seed,
            prompts=prompts.record(),
            server_metrics=self.server_metrics,
        )


_SECONDS = click.FloatRange(min=0.5)
_OPTIONS = (
    click.option("--min-success", type=click.FloatRange(min=0, max=1), default=0.95, show_default=True,
                 help="Share of requests that must be answered in full."),
    click.option("--max-ttft", "max_ttft_ms", metavar="MS", type=click.FloatRange(min=0), default=1000.0,
                 show_default=True, help="Mean and p95 of the time to the first token; 0: no such rule."),
    click.option("--slo", "slos", multiple=True, metavar="LIMIT",
                 help="A limit of your own: ttft_p95<800ms, tpot_p99<50ms, e2el_p90<=10s, goodput>=95%."),
    click.option("--goodput", multiple=True, metavar="NAME:MS",
                 help="An answer is good within ttft:500, tpot:50 or e2el:9000, as in `vllm bench serve`."),
    click.option("--level-seconds", type=_SECONDS, default=60.0, show_default=True,
                 help="A level ends after so long, decided or not."),
    click.option("--scan-seconds", type=_SECONDS,
                 help="A rung that looks well within its limits ends after so long. Default: a third of that."),
    click.option("--window-seconds", type=_SECONDS, default=5.0, show_default=True,
                 help="What is measured of a level is no shorter."),
    click.option("--quota-rest", type=click.FloatRange(min=0), default=60.0, show_default=True, metavar="S",
                 help="Seconds without a request after a level that a quota refused: providers' windows refill."),
    click.option("--budget-seconds", type=click.FloatRange(min=1), help="The search ends after so long."),
    click.option("--budget-requests", type=click.IntRange(min=1), help="Or so many requests."),
    click.option("--budget-tokens", type=click.IntRange(min=1), help="Or so many tokens, prompts and answers."),
    click.option("--lanes", multiple=True, metavar="PATTERN",
                 help="Only lanes whose ids match, such as 'azure/*@key0'; may be repeated."),
    click.option("--each", is_flag=True, help="Search every lane by itself first, then all of them together."),
    click.option("--lift-workers", is_flag=True, help="Leave out the workers that the profile gives to lanes."),
    click.option("--burstiness", type=click.FloatRange(min=0, min_open=True), default=1.0, show_default=True,
                 help="Of arrivals in open loop: 1 is Poisson, more is more even."),
    click.option("--server-metrics", multiple=True, metavar="URL",
        help="Where the server, or its GPUs, tell their metrics as Prometheus text; beside the curve, and a rule.",
    ),
    click.option("--processes", type=click.IntRange(min=1, max=64),
                 help="Processes that read streams. Default: as many as the most in flight is worth."),
    click.option("--result-dir", type=click.Path(path_type=Path),
                 help="Write concurrency_N.json of each level there, as `vllm bench serve` does."),
    click.option("--save-result", is_flag=True,
                 help="Write the level at the answer so, with the whole search under `ultra.search`."),
    click.option("--save-detailed", is_flag=True, help="With lists of an entry a request."),
    click.option("--result-filename", type=click.Path(path_type=Path), help="Under which name; in --result-dir, or here."),
    click.option("--out", type=click.Path(path_type=Path), help="Where the run directory is made."),
    click.option("--detach", is_flag=True, help="Start in the background and return."),
    click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout, and nothing else there."),
    click.option("--announce", is_flag=True, hidden=True),
)  # fmt: skip

search_options = option_group(Searching, "searching", _OPTIONS)
"""Add the options, which the command gets as `searching`."""
