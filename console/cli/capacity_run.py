"""`ultra-console capacity run`: one level of load."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from console.cli.capacity_result import report, result_name, result_path
from console.cli.process_count import processes_option
from console.cli.prompt_options import Prompts, prompt_options, warn_of_repeats
from console.cli.rate import Rate
from console.cli.run import detached, host_here
from console.cli.saying import say
from console.cli.target_options import Target, target_options
from console.vocabulary.errors import ExitCode

_PROMPTS = 1000


@click.command()
@target_options
@click.option(
    "--max-concurrency", type=click.IntRange(min=1), help="Requests in flight over all lanes together."
)
@click.option(
    "--request-rate", type=Rate(), default="inf", show_default=True, help="Requests per second, or inf."
)
@click.option("--burstiness", type=click.FloatRange(min=0, min_open=True), default=1.0, show_default=True)
@click.option(
    "--num-prompts", type=click.IntRange(min=1), help="Default: 1000, or as many as --dataset holds."
)
@prompt_options
@click.option("--save-result", is_flag=True, help="Write the result as `vllm bench serve` does.")
@click.option("--result-dir", type=click.Path(path_type=Path), help="Where, if not here.")
@click.option("--result-filename", type=click.Path(path_type=Path), help="Under which name.")
@click.option("--out", type=click.Path(path_type=Path), help="Where the run directory is made.")
@processes_option
@click.option("--detach", is_flag=True, help="Start in the background and return.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout, and nothing else there.")
@click.option("--announce", is_flag=True, hidden=True)
def run(
    *,
    target: Target,
    max_concurrency: int | None,
    request_rate: float | None,
    burstiness: float,
    num_prompts: int | None,
    prompts: Prompts,
    save_result: bool,
    result_dir: Path | None,
    result_filename: Path | None,
    out: Path | None,
    processes: int | None,
    detach: bool,
    as_json: bool,
    announce: bool,
) -> int:
    """Drive one level of load and report it as `vllm bench serve` does."""
    from console.engine.load import Level
    from console.run_level import LevelRequest, LevelRun
    from console.work.prompt_source import Taken

    level = Level(max_concurrency=max_concurrency, request_rate=request_rate, burstiness=burstiness)
    goes_to = result_path(
        save_result, result_dir, result_filename, result_name(target.api, target.model, level)
    )
    source = prompts.source()
    count = num_prompts or source.size or _PROMPTS
    warn_of_repeats(source, count)
    lengths = prompts.lengths
    asked = LevelRequest(
        loaded=target.load(max_concurrency or count),
        model=target.model,
        level=level,
        requests=Taken(source, count),
        input_len=None if lengths is None else lengths[0],
        output_len=None if lengths is None else lengths[1],
        seed=prompts.seed,
        out=out,
        storage=os.environ.get("STORAGE_FORMAT", "parquet") or "parquet",
        processes=processes,
        args=tuple(sys.argv[1:]),
    )
    level_run = LevelRun(asked)
    for cap in level_run.caps:
        say(f"warning: {cap}", err=True)
    if max_concurrency is not None and count < 5 * max_concurrency:
        say(f"warning: {count} prompts are fewer than 5 × {max_concurrency} in flight", err=True)
    if detach:
        return detached(as_json=as_json)

    def finish(run_dir: Path) -> ExitCode:
        return report(level_run.result, goes_to, run_dir, as_json=as_json)

    return host_here(level_run.run, as_json=as_json, announce=announce, finish=finish)
