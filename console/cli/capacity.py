"""`ultra-console capacity`: what a model bears."""

from __future__ import annotations

import math
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from console.cli.process_count import processes_option
from console.cli.run import detached, host_here
from console.cli.saying import say
from console.vocabulary.errors import ConsoleError, ExitCode

_RANDOM_PROMPTS = 1000
_SLOWEST = 0.0001
"""Requests per second: one in three hours."""
LEVEL_FILE = "level.json"
"""In the run directory: the result as it was printed."""

if TYPE_CHECKING:
    from console.engine.load import Level
    from console.profile.load import LoadedProfile
    from console.vocabulary.chat import ChatRequest


class Rate(click.ParamType[float | None]):
    """A number of requests per second, or inf."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        """Return the rate; None for inf."""
        if value is None:
            return None
        try:
            rate = float(value)
        except ValueError:
            self.fail(f"{value!r} is not a number or inf", param, ctx)
        if math.isnan(rate) or rate < _SLOWEST:
            self.fail(f"{value!r} is not a number ≥ {_SLOWEST:g} or inf", param, ctx)
        return None if math.isinf(rate) else rate


@click.group()
def capacity() -> None:
    """Measure what a model bears."""


@capacity.command("run")
@click.option("--profile", "-p", help="Drive all lanes of the model under this profile.")
@click.option("--base-url", help="Or an endpoint without a profile, up to and with /v1.")
@click.option("--model", required=True, help="Model name; for --base-url what the server calls it.")
@click.option("--key", "key_ref", help="Reference to the key for --base-url, such as env:OPENAI_API_KEY.")
@click.option("--api", type=click.Choice(["openai", "azure"]), default="openai", show_default=True)
@click.option("--api-version", help="For --api azure.")
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
@click.option("--random-input-len", "input_len", type=click.IntRange(min=1), default=1024, show_default=True)
@click.option("--random-output-len", "output_len", type=click.IntRange(min=1), default=128, show_default=True)
@click.option("--ignore-eos", is_flag=True, help="Ask servers that can to always write the full length.")
@click.option(
    "--dataset", type=click.Path(path_type=Path), help="Prompts from JSON lines in place of random ones."
)
@click.option(
    "--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Change a value of the profile."
)
@click.option("--seed", type=int, default=0, show_default=True)
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
    profile: str | None,
    base_url: str | None,
    model: str,
    key_ref: str | None,
    api: Literal["openai", "azure"],
    api_version: str | None,
    max_concurrency: int | None,
    request_rate: float | None,
    burstiness: float,
    num_prompts: int | None,
    input_len: int,
    output_len: int,
    ignore_eos: bool,
    dataset: Path | None,
    overrides: tuple[str, ...],
    seed: int,
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

    level = Level(max_concurrency=max_concurrency, request_rate=request_rate, burstiness=burstiness)
    result_path = _result_path(save_result, result_dir, result_filename, _result_name(api, model, level))
    requests = _requests(dataset, num_prompts, input_len, output_len, seed, ignore_eos)
    loaded = _profile(
        profile, base_url, model, key_ref, api, api_version, overrides, max_concurrency or len(requests)
    )
    asked = LevelRequest(
        loaded=loaded,
        model=model,
        level=level,
        requests=requests,
        input_len=None if dataset else input_len,
        output_len=None if dataset else output_len,
        seed=seed,
        out=out,
        storage=os.environ.get("STORAGE_FORMAT", "parquet") or "parquet",
        processes=processes,
        args=tuple(sys.argv[1:]),
    )
    level_run = LevelRun(asked)
    for cap in level_run.caps:
        say(f"warning: {cap}", err=True)
    if max_concurrency is not None and len(requests) < 5 * max_concurrency:
        say(f"warning: {len(requests)} prompts are fewer than 5 × {max_concurrency} in flight", err=True)
    if detach:
        return detached(as_json=as_json)

    def finish(run_dir: Path) -> ExitCode:
        return _report(level_run.result, result_path, run_dir, as_json=as_json)

    return host_here(level_run.run, as_json=as_json, announce=announce, finish=finish)


def _profile(
    profile: str | None,
    base_url: str | None,
    model: str,
    key_ref: str | None,
    api: Literal["openai", "azure"],
    api_version: str | None,
    overrides: tuple[str, ...],
    workers: int,
) -> LoadedProfile:
    from console.profile.load import LoadedProfile, load_profile
    from console.profile.write import AD_HOC_FLAGS, ad_hoc_profile

    if (profile is None) == (base_url is None):
        raise ConsoleError("give either --profile or --base-url", hint="--profile sim needs no server")
    if profile is not None:
        if key_ref is not None:
            raise ConsoleError("--key goes with --base-url; a profile names its keys itself")
        return load_profile(profile, overrides, rate_mode="fixed")
    assert base_url is not None
    made = ad_hoc_profile(
        base_url=base_url, model=model, api=api, key_ref=key_ref, api_version=api_version, workers=workers
    )
    return LoadedProfile(
        profile=made, name=made.name, origin="command line", path=None, text="", flags=AD_HOC_FLAGS
    )


def _requests(
    dataset: Path | None, count: int | None, input_len: int, output_len: int, seed: int, ignore_eos: bool
) -> list[ChatRequest]:
    from console.work.random_prompts import as_request, random_prompts, read_prompts

    if dataset is None:
        prompts = random_prompts(
            count or _RANDOM_PROMPTS, input_len=input_len, output_len=output_len, seed=seed
        )
    else:
        found = read_prompts(dataset, output_len=None)
        count = count or len(found)
        if count > len(found):
            say(f"warning: {len(found)} prompts are repeated to make {count}", err=True)
        prompts = [found[index % len(found)] for index in range(count)]
    return [as_request(prompt, stream=True, ignore_eos=ignore_eos) for prompt in prompts]


def _result_name(api: str, model: str, level: Level) -> str:
    """Return the name that `vllm bench serve` would give the file."""
    rate = "inf" if level.request_rate is None else f"{level.request_rate:g}"
    bound = "" if level.max_concurrency is None else f"-concurrency{level.max_concurrency}"
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    return f"{api}-chat-{rate}qps{bound}-{model.rpartition('/')[2]}-{stamp}.json"


def _result_path(save: bool, directory: Path | None, name: Path | None, default: str) -> Path | None:
    """Return where the result goes, None for nowhere; found out before anything is sent."""
    if not save:
        return None
    path = (directory or Path()) / (name or Path(default))
    if not path.parent.is_dir():
        raise ConsoleError(f"there is no directory {path.parent}", where=str(path))
    if not os.access(path.parent, os.W_OK) or path.is_dir():
        raise ConsoleError("cannot be written", where=str(path))
    return path


def _report(result: dict[str, Any] | None, path: Path | None, run_dir: Path, *, as_json: bool) -> ExitCode:
    """Write and print the result; its code says whether it is an answer."""
    import msgspec

    from console.capacity.level_result import client_bound, printed
    from console.records.atomic import write_atomic

    if result is None:
        return ExitCode.DONE
    data = msgspec.json.encode(result)
    write_atomic(run_dir / LEVEL_FILE, data)
    if path is not None:
        path.write_bytes(data + b"\n")
        say(f"result in {path}", err=True)
    if as_json:
        say(b'{"type":"level",' + data[1:])
    else:
        say("\n".join(printed(result)))
    return ExitCode.INCOMPLETE if client_bound(result) else ExitCode.DONE


@capacity.command("show")
@click.argument("run", required=False)
@click.option("--json", "as_json", is_flag=True, help="The result file itself.")
def show(*, run: str | None, as_json: bool) -> int:
    """Print the result of a level again. RUN: id, directory, or the newest."""
    import msgspec

    from console.capacity.level_result import printed
    from console.records.run_dir import find_run

    run_dir = find_run(run)
    try:
        data = (run_dir / LEVEL_FILE).read_bytes()
        result = msgspec.json.decode(data, type=dict[str, Any])
    except FileNotFoundError:
        raise ConsoleError(
            "is no capacity level that has ended",
            where=run_dir.name,
            hint=f"try `ultra-console summary {run_dir.name}`",
        ) from None
    except (OSError, msgspec.DecodeError) as error:
        raise ConsoleError(f"cannot be read: {error}", where=str(run_dir / LEVEL_FILE)) from error
    say(data if as_json else "\n".join(printed(result)))
    return ExitCode.DONE
