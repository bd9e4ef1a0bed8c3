"""`ultra-console profile`: list, show, check, diff, new; `learnt` is `profile_learnt.py`."""

from __future__ import annotations

import sys
import textwrap
from typing import Any

import click
import msgspec

from console.cli.profile_learnt import learnt_command
from console.cli.profile_live import check_live, live_options
from console.profile import (
    CHECKS,
    LoadedProfile,
    ModelTotals,
    Profile,
    check,
    diff,
    effective_lines,
    lane_setups,
    list_profiles,
    load_profile,
    model_protocols,
    new_profile,
    reply_lengths,
    split_rules,
    totals,
)
from console.profile.form import NAME
from console.profile.table import WIDTH, cells, counted, shorten, text_table
from console.profile.toml_lines import dotted
from console.vocabulary.errors import ConsoleError, ExitCode
from console.vocabulary.lane import RateMode
from console.vocabulary.safe_text import safe_line

MODES: tuple[RateMode, ...] = ("fixed", "adaptive")
SPLITS = {
    "pull": "; the lanes of a model take from one queue",
    "even": "; each lane of a model has its share",
    "one-key": "; only the lanes of the model's key count",
    "lease": "; a job holds one key at a time",
}

set_option = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="PATH=VALUE",
    help="Replace one value, as in limits.azure.open.fixed.workers=20; an empty one takes it out. Repeatable.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout.")


@click.group()
def profile() -> None:
    """List, show, check, compare and make profiles.

    A profile is named by a path (with / or ending in .toml), else by a name: the user's profiles come first,
    then the built-in ones.
    """


profile.add_command(learnt_command)


@profile.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the built-in profiles and your own."""
    rows: list[list[str]] = []
    for place in list_profiles():
        origin = str(place.path) if place.path is not None else "built-in"
        if place.hidden:
            origin, said = "built-in", "hidden by your own of that name"
        else:
            said = _description(str(place.path) if place.path is not None else place.name)
        if as_json:
            _print_json({"type": "profile", "name": place.name, "origin": origin, "description": said})
        else:
            rows.append([place.name, "yours" if place.path is not None else origin, said])
    for line in _columns(rows):
        click.echo(line)


def _description(ref: str) -> str:
    try:
        return safe_line(load_profile(ref, environ={}).profile.description)
    except ConsoleError as error:
        return f"broken: {safe_line(error.message)}"


def _columns(rows: list[list[str]]) -> list[str]:
    if not rows:
        return []
    lines = text_table(
        ["name", "from", "description"], [[name, origin, ""] for name, origin, _ in rows], set()
    )
    width = max(len(line) for line in lines[1:])
    heads = [lines[0][: lines[0].index("description")].ljust(width + 2) + "description"]
    return heads + [
        shorten(f"{line.ljust(width + 2)}{row[2]}", WIDTH) for line, row in zip(lines[1:], rows, strict=True)
    ]


@profile.command()
@click.argument("name")
@click.option(
    "--rate-mode", type=click.Choice(MODES), help="Only this mode; absent: both, * marks the one in force."
)
@click.option(
    "--prompt-types", type=click.IntRange(min=1), default=1, metavar="N", help="Prompt types in one job."
)
@set_option
@json_option
def show(
    name: str, rate_mode: RateMode | None, prompt_types: int, overrides: tuple[str, ...], as_json: bool
) -> None:
    """Show what a profile comes to: workers of a lane × lanes = total, for each model.

    The figures are those that a run enforces. No secret is resolved.
    """
    loaded = load_profile(name, overrides, rate_mode=rate_mode)
    modes: tuple[RateMode, ...] = (rate_mode,) if rate_mode is not None else MODES
    if as_json:
        _show_json(loaded, modes, prompt_types)
        return
    one = loaded.profile
    for line in _head(loaded):
        click.echo(safe_line(line))
    click.echo()
    for line in effective_lines(one, modes=modes, prompt_types=prompt_types):
        click.echo(safe_line(line))
    click.echo()
    for line in _foot(one, prompt_types):
        for row in textwrap.wrap(safe_line(line), WIDTH, subsequent_indent="  "):
            click.echo(row)


def _head(loaded: LoadedProfile) -> list[str]:
    one = loaded.profile
    why = {"flag": " (flag)", "environment": " (RATE_MODE)", "profile": ""}[loaded.rate_mode_from]
    lanes = len(lane_setups(one))
    title = f"{one.name}: {one.description}" if one.description else one.name
    mode = f"rate mode {one.rate_mode}{why} · {counted(len(one.models), 'model')} · {counted(lanes, 'lane')}"
    where = f"{loaded.origin} · {mode}"
    places = [where] if cells(safe_line(where)) <= WIDTH else [loaded.origin, mode]  # a path is not cut
    return [shorten(safe_line(title), WIDTH), *places]


def _foot(one: Profile, prompt_types: int) -> list[str]:
    """Say what the table does not: how to read it, the split, keys, outer gates, start."""
    lines = [f"workers of a lane × lanes = total; prompt types in a job: {prompt_types}"]
    if any(setup.per == "job" for setup in lane_setups(one)):
        lines.append("/job: each job has its own copy of the lane's limits")
    splits: dict[str, list[str]] = {}
    for model, rule in split_rules(one).items():
        splits.setdefault(rule.kind, []).append(model)
    lines += [
        f"split {kind}: {counted(len(models), 'model')}{SPLITS[kind]}" for kind, models in splits.items()
    ]
    for name, provider in one.providers.items():
        keys = [f"{key} (off)" if key in provider.keys_off else key for key in provider.keys]
        lines.append(f"{name}: {provider.api}, keys {', '.join(keys) or 'none'}")
        if provider.deployments_off:
            lines.append(f"{name}: deployments off: {', '.join(provider.deployments_off)}")
    spoken = model_protocols(one)
    for protocol in dict.fromkeys(spoken.values()):
        models = ", ".join(model for model, own in spoken.items() if own == protocol)
        lines.append(f"protocol {protocol}, in place of tool calling: {models}")
    if lengths := reply_lengths(one):
        lines.append(
            f"replies of so many tokens at most: {', '.join(f'{name} {most:,}' for name, most in lengths.items())}"
        )
    gates = {
        outer.scope.kind + " " + outer.scope.name: outer
        for setup in lane_setups(one)
        for outer in setup.outer
    }
    for gate, outer in gates.items():
        figures = msgspec.to_builtins(outer.limits).items()
        lines.append(f"gate on {gate}: {', '.join(f'{name} {value:g}' for name, value in figures)}")
    for model, rule in split_rules(one).items():
        if rule.moved_from is not None:
            lines.append(f"{model}: its key {rule.moved_from} is off, {rule.key} is used")
    for name, provider in one.providers.items():
        if "lease" in provider.model_fields_set:
            holders = counted(provider.lease.holders, provider.lease.to)
            lines.append(f"{name}: a leased key is held by {holders} at a time")
    if one.start.shard_delays or one.start.job_delay:
        delays = ", ".join(f"{delay:g}" for delay in one.start.shard_delays) or "0"
        lines.append(f"start: shards after {delays} s; jobs {one.start.job_delay:g} s apart")
    return lines


def _show_json(loaded: LoadedProfile, modes: tuple[RateMode, ...], prompt_types: int) -> None:
    one = loaded.profile
    head = {"type": "profile", "name": one.name, "description": one.description, "origin": loaded.origin}
    modes_said = {"rate_mode": one.rate_mode, "rate_mode_from": loaded.rate_mode_from}
    _print_json({**head, **modes_said, "protocols": model_protocols(one), "max_tokens": reply_lengths(one)})
    for mode in modes:
        try:
            setups = lane_setups(one, rate_mode=mode, prompt_types=prompt_types)
        except ConsoleError:
            continue  # the profile has no limits for a mode that was not asked for
        for setup in setups:
            _print_json({"type": "lane", "rate_mode": mode, "id": setup.lane.id, **_plain(setup)})
        for row in totals(setups, split_rules(one)):
            _print_json({"type": "model", "rate_mode": mode, **_plain(row)})


def _plain(value: ModelTotals | Any) -> dict[str, Any]:
    return msgspec.to_builtins(value)


def _print_json(record: dict[str, Any]) -> None:
    click.echo(msgspec.json.encode(record).decode())


@profile.command("check")
@click.argument("name", default="sim")
@set_option
@live_options
@json_option
@click.pass_context
def check_command(
    ctx: click.Context,
    name: str,
    overrides: tuple[str, ...],
    live: bool,
    models: tuple[str, ...],
    timeout_s: float,
    as_json: bool,
) -> None:
    """Look for what is valid in a profile and yet hardly meant. Exit code 4 where something is found.

    Warnings do not count. Without --live no secret is resolved and nothing is sent; with it, every key is tried on
    every deployment as well, and 4 also says that not all of them answer.
    """
    from console.cli import COMMANDS

    loaded = load_profile(name, overrides)
    findings = check(loaded)
    failed = any(not finding.warning for finding in findings)
    for finding in findings:
        problem = finding.problem(loaded)
        if as_json:
            level = "warning" if finding.warning else "finding"
            path = dotted(finding.path)
            record = {"type": level, "check": finding.check, "path": path, "line": problem.line}
            _print_json({**record, "message": finding.message, "hint": finding.hint})
        else:
            click.echo(safe_line(("warning: " if finding.warning else "") + problem.text()))
    if loaded.name in COMMANDS:
        failed = True
        click.echo(f"{loaded.origin}: '{loaded.name}' is a command's name [name]", err=as_json)
    answers = not live or check_live(loaded, models, timeout_s, as_json=as_json)
    if failed or not answers:
        ctx.exit(ExitCode.CHECK_FAILED)
    else:
        said = f"{counted(len(findings), 'warning')}, nothing worse" if findings else "nothing suspicious"
        click.echo(f"{loaded.origin}: {said} in {len(CHECKS)} checks", err=as_json)


@profile.command("diff")
@click.argument("left")
@click.argument("right")
@click.option("--exit-code", is_flag=True, help="Leave with 4 where they differ.")
@json_option
@click.pass_context
def diff_command(ctx: click.Context, left: str, right: str, exit_code: bool, as_json: bool) -> None:
    """Compare what two profiles mean: settings, and the totals that come of them."""
    found = diff(load_profile(left, environ={}).profile, load_profile(right, environ={}).profile)
    for title, rows in (("setting", found.settings), ("total", found.totals)):
        if rows and not as_json:
            click.echo(f"{title}s that differ: {len(rows)}")
        for row in rows:
            if as_json:
                _print_json({"type": title, "path": row.path, "left": row.left, "right": row.right})
            else:
                click.echo(safe_line(f"  {row.path}: {_side(row.left)} → {_side(row.right)}"))
    if found.same:
        click.echo("the same in meaning", err=as_json)
    elif exit_code:
        ctx.exit(ExitCode.CHECK_FAILED)


def _side(text: str | None) -> str:
    return "(absent)" if text is None else text or '""'


@profile.command()
@click.argument("name")
@click.option("--from", "source", default="sim", show_default=True, metavar="PROFILE", help="What to copy.")
def new(name: str, source: str) -> None:
    """Copy a profile into your own directory, to edit it there. Nothing is ever overwritten.

    NAME may not be a built-in profile's: your own would hide it from then on.
    """
    from console.cli import COMMANDS

    if NAME.fullmatch(name) is None or name.endswith(".toml"):
        hint = "1 to 64 letters, digits, `.`, `_`, `-`, the first a letter or digit, without .toml"
        raise ConsoleError(f"'{safe_line(name, 80)}' is no name for a profile", hint=hint)
    if name in COMMANDS:
        raise ConsoleError(f"'{name}' is a command's name; `ultra-console {name}` would not open the profile")
    path = new_profile(name, source)
    click.echo(str(path))
    click.echo(f"ultra-console: written, a copy of {safe_line(source)}", err=True)
    sys.stdout.flush()
