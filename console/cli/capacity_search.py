"""`ultra-console capacity ramp`, `target` and `resume`: searches over many levels."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.cli.prompt_options import Prompts, prompt_options
from console.cli.run import detached, host_here
from console.cli.saying import say
from console.cli.search_options import Searching, search_options
from console.cli.search_saving import Saving
from console.cli.search_text import report_search
from console.cli.target_options import Target, target_options
from console.vocabulary.errors import ConsoleError, ExitCode
from console.vocabulary.safe_text import safe_line

if TYPE_CHECKING:
    from console.capacity.search_request import SearchRequest
    from console.run_search import SearchRun


@click.command()
@target_options
@click.option(
    "--levels",
    metavar="LIST",
    help="Rungs of the ladder, such as 1,2,5,10,20; `auto` doubles from 1. Default: 1,2,5,10 … 1000.",
)
@click.option(
    "--max-concurrency",
    "most",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Never more in flight than this, over all lanes together.",
)
@click.option(
    "--precision",
    type=click.FloatRange(min=0.005, max=0.5),
    default=0.05,
    show_default=True,
    help="How near the two ends of the answer are to come, as a share.",
)
@click.option(
    "--min-growth",
    type=click.FloatRange(min=0.01, max=0.9),
    default=0.2,
    show_default=True,
    help="Throughput has stopped growing where twice the concurrency would bring less than this share more.",
)
@click.option("--confirm", type=click.IntRange(min=0, max=5), default=1, show_default=True,
              help="Further measurements of each end of the answer.")  # fmt: skip
@click.option("--no-drift-test", "drift", is_flag=True, default=True, flag_value=False,
              help="Leave out the last level, which tells whether the endpoint has changed.")  # fmt: skip
@click.option(
    "--rules",
    type=click.Choice(["ultra", "seed004"]),
    default="ultra",
    show_default=True,
    help="seed004: the operators' guide to the letter, for comparison with old results.",
)
@click.option(
    "--apply", "apply_to", metavar="PROFILE", help="Write the answer into a profile, after showing how."
)
@click.option("--yes", is_flag=True, help="Write it without asking.")
@search_options
@prompt_options
def ramp(
    *,
    target: Target,
    levels: str | None,
    most: int,
    precision: float,
    min_growth: float,
    confirm: int,
    drift: bool,
    rules: str,
    apply_to: str | None,
    yes: bool,
    searching: Searching,
    prompts: Prompts,
) -> int:
    """Find the most concurrent requests that a model bears."""
    import math

    from console.capacity.ramp import LADDER, RampSettings
    from console.capacity.seed004 import SeedSettings

    ladder, grows = _ladder(levels, LADDER)
    seed004 = SeedSettings(ladder=ladder, most=most, max_ttft_ms=searching.max_ttft_ms or math.inf)
    asked = searching.request(
        target.model,
        prompts,
        ramp=RampSettings(
            ladder=ladder,
            most=most,
            grows=grows,
            precision=precision,
            elasticity=math.log(1 + min_growth) / math.log(2),
            confirm=confirm,
            drift=drift,
        )
        if rules == "ultra"
        else None,
        seed004=seed004 if rules == "seed004" else None,
    )
    applying = None
    if apply_to is not None:
        from console.cli.search_apply import Applying

        applying = Applying.to(apply_to, target.model, yes=yes)
    return _search(asked, target, searching, prompts, applying and applying.apply)


@click.command("target")
@target_options
@click.option(
    "--qps", type=click.FloatRange(min=0, min_open=True), required=True, help="Requests per second to reach."
)
@click.option("--max-concurrency", "most", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option("--precision", type=click.FloatRange(min=0.005, max=0.5), default=0.05, show_default=True)
@click.option("--share", type=click.FloatRange(min=0.5, max=1), default=0.95, show_default=True,
              help="Of the rate that has to be reached.")  # fmt: skip
@click.option("--confirm", type=click.IntRange(min=0, max=5), default=1, show_default=True)
@click.option("--window", "window_s", type=click.FloatRange(min=1), metavar="S",
              help="Seconds of a window. Default: 60, or 20 times as long as a request takes.")  # fmt: skip
@search_options
@prompt_options
def qps_target(
    *,
    target: Target,
    qps: float,
    most: int,
    precision: float,
    share: float,
    confirm: int,
    window_s: float | None,
    searching: Searching,
    prompts: Prompts,
) -> int:
    """Find the least concurrency that reaches a rate."""
    from console.capacity.target import TargetSettings

    settings = TargetSettings(
        qps=qps, most=most, precision=precision, share=share, confirm=confirm, window_s=window_s
    )
    return _search(
        searching.request(target.model, prompts, target=settings), target, searching, prompts, None
    )


@click.command()
@click.argument("run", required=False)
@click.option("--detach", is_flag=True, help="Go on in the background and return.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout, and nothing else there.")
@click.option("--announce", is_flag=True, hidden=True)
def resume(*, run: str | None, detach: bool, as_json: bool, announce: bool) -> int:
    """Go on with a search that was killed or stopped, at the level it was at. RUN: id, directory, or the newest."""
    from console.cli.search_resume import resumed

    if detach:
        return detached(as_json=as_json)
    found = resumed(run)
    return _host(found, as_json=as_json, announce=announce, saving=None, then=None)


def _ladder(levels: str | None, usual: tuple[int, ...]) -> tuple[tuple[int, ...], bool]:
    """Return the rungs, and whether the search doubles beyond them."""
    if levels is None:
        return usual, False
    if levels.strip() == "auto":
        return (1,), True
    try:
        rungs = tuple(int(rung) for rung in levels.split(","))
    except ValueError:
        rungs = ()
    if not rungs or min(rungs) < 1 or list(rungs) != sorted(set(rungs)):
        raise ConsoleError(
            f"{levels!r} is no ladder",
            where="--levels",
            hint="write growing whole numbers, such as 1,2,5,10, or auto",
        )
    return rungs, False


def _search(
    asked: SearchRequest,
    target: Target,
    searching: Searching,
    prompts: Prompts,
    then: Callable[[SearchRun], None] | None,
) -> int:
    from console.run_search import SearchRun, SearchSurroundings, refuse_target

    lengths = prompts.lengths
    around = SearchSurroundings(
        loaded=target.load(asked.most),
        prompts=prompts.source(),
        prompt_tokens=0 if lengths is None else lengths[0],
        out=searching.out,
        processes=searching.processes,
        storage=os.environ.get("STORAGE_FORMAT", "parquet") or "parquet",
        args=tuple(sys.argv[1:]),
    )
    search = SearchRun(asked, around)
    if asked.target is not None:
        refuse_target(search.lanes, asked.target.qps)
    for cap in search.caps:
        say(f"warning: {cap}", err=True)
    if searching.detach:
        return detached(as_json=searching.as_json)
    return _host(
        search,
        as_json=searching.as_json,
        announce=searching.announce,
        saving=searching.saving,
        then=then,
    )


def _host(
    search: SearchRun,
    *,
    as_json: bool,
    announce: bool,
    saving: Saving | None,
    then: Callable[[SearchRun], Any] | None,
) -> int:
    def finish(run_dir: Path) -> ExitCode:
        if search.result is None:
            return ExitCode.DONE
        if search.server_trouble:
            say(f"warning: server metrics: {safe_line(search.server_trouble, 300)}", err=True)
        code = report_search(search.result, run_dir, as_json=as_json, saving=saving)
        if then is not None:
            then(search)
        return code

    return host_here(search.run, as_json=as_json, announce=announce, finish=finish, failures_count=False)
