"""`ultra-console capacity run`: one level of load."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from console.cli.capacity_result import report
from console.cli.load_options import Load, load_options
from console.cli.process_count import processes_option
from console.cli.prompt_options import Prompts, prompt_options, warn_of_repeats
from console.cli.result_options import Results, result_options
from console.cli.run import detached, host_here
from console.cli.saying import say
from console.cli.target_options import Target, target_options
from console.vocabulary.errors import ExitCode

_PROMPTS = 1000


@click.command()
@target_options
@load_options
@prompt_options
@result_options
@click.option(
    "--server-metrics",
    multiple=True,
    metavar="URL",
    help="Where the server, or its GPUs, say how they are in Prometheus' text; repeatable.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Where the run directory is made.")
@processes_option
@click.option("--detach", is_flag=True, help="Start in the background and return.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout, and nothing else there.")
@click.option("--announce", is_flag=True, hidden=True)
def run(
    *,
    target: Target,
    load: Load,
    prompts: Prompts,
    results: Results,
    server_metrics: tuple[str, ...],
    out: Path | None,
    processes: int | None,
    detach: bool,
    as_json: bool,
    announce: bool,
) -> int:
    """Drive one level of load and report it as `vllm bench serve` does."""
    from console.run_level import LevelRequest, LevelRun
    from console.work.prompt_source import Taken

    level = load.level()
    goes_to = results.goes_to(target.api, target.model, level)
    reported = results.reported(prompts.tokenizer)
    source = prompts.source()
    count = load.num_prompts or source.size or _PROMPTS
    warn_of_repeats(source, count + load.num_warmups)
    lengths = prompts.lengths
    asked = LevelRequest(
        loaded=target.load(load.max_concurrency or count),
        model=target.model,
        level=level,
        requests=Taken(source, count, warm_ups=load.num_warmups),
        input_len=None if lengths is None else lengths[0],
        output_len=None if lengths is None else lengths[1],
        seed=prompts.seed,
        out=out,
        storage=os.environ.get("STORAGE_FORMAT", "parquet") or "parquet",
        processes=processes,
        report=reported,
        server_metrics=server_metrics,
        args=tuple(sys.argv[1:]),
    )
    level_run = LevelRun(asked)
    for warning in [*level_run.caps, *load.warnings(count)]:
        say(f"warning: {warning}", err=True)
    if detach:
        return detached(as_json=as_json)

    def finish(run_dir: Path) -> ExitCode:
        from console.capacity.level_steady import slo_code

        code = report(level_run.result, goes_to, run_dir, append=results.append_result, as_json=as_json)
        return code or slo_code(level_run.steady, reported)

    return host_here(level_run.run, as_json=as_json, announce=announce, finish=finish)
