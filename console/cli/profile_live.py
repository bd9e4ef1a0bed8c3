"""`ultra-console profile check --live`: every key tried on every deployment, once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click
import msgspec

from console.vocabulary.probed import STATE_WORDS, Probed
from console.vocabulary.safe_text import safe_line

if TYPE_CHECKING:
    from console.profile.load import LoadedProfile

TIMEOUT_S = 60.0
_SAID = {**STATE_WORDS, "rate_limited": "alive: refuses more for now"}


def live_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of `--live`."""
    options = [
        click.option(
            "--live", is_flag=True, help="Send one tiny request per lane: do all keys and deployments answer?"
        ),
        click.option(
            "--model",
            "--models",
            "models",
            multiple=True,
            help="With --live: only the lanes of these models.",
        ),
        click.option(
            "--timeout",
            "timeout_s",
            type=click.FloatRange(min=0, min_open=True),
            default=TIMEOUT_S,
            show_default=True,
            metavar="SECONDS",
            help="With --live: for all of it.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def check_live(loaded: LoadedProfile, models: Sequence[str], timeout_s: float, *, as_json: bool) -> bool:
    """Ask every lane, print what came of it and what mends it, and return whether all answer."""
    import anyio

    from console.cli.selecting import listed
    from console.event_loop import loop_options
    from console.live_check import OUTPUT_TOKENS, cost_text, lanes_to_probe, probe, prompt_tokens
    from console.profile.live_fixes import live_fixes

    lanes = lanes_to_probe(loaded, listed(tuple(models)))
    providers = len({setup.lane.provider for setup in lanes})
    where = "1 provider" if providers == 1 else f"{providers} providers"
    if as_json:
        cost = {"requests": len(lanes), "prompt_tokens": prompt_tokens(), "output_tokens": OUTPUT_TOKENS}
        _print_json({"type": "cost", **cost})
    else:
        click.echo(safe_line(f"{loaded.origin}: {cost_text(len(lanes))}, to {where}"))
    sys.stdout.flush()
    probed: list[Probed] = anyio.run(probe, loaded, lanes, timeout_s, backend_options=loop_options())
    alive = sum(1 for one in probed if one.alive)
    fixes = live_fixes(loaded.profile, probed)
    if as_json:
        for one in probed:
            _print_json({"type": "probe", "lane": one.lane.id, "alive": one.alive, **_plain(one)})
        for fix in fixes:
            _print_json({"type": "fix", "text": fix.strip()})
    else:
        for line in _lines(probed):
            click.echo(line)
        click.echo(f"{alive} of {len(probed)} lanes answer")
        for fix in fixes:
            click.echo(safe_line(f"  {fix}"))
    return alive == len(probed)


def _lines(probed: Sequence[Probed]) -> list[str]:
    width = max((len(one.lane.id) for one in probed), default=0)
    return [f"{safe_line(one.lane.id).ljust(width)}  {_said(one)}" for one in probed]


def _said(one: Probed) -> str:
    said = _SAID[one.state]
    if one.state == "answers" and one.ttft_ms is not None:
        said += f", TTFT {one.ttft_ms:.0f} ms"
    if one.simulated:
        said += " (SIMULATED)"
    return f"{said}: {one.text}" if one.text and one.state != "answers" else said


def _plain(one: Probed) -> dict[str, Any]:
    record = msgspec.to_builtins(one)
    return {
        **record.pop("lane"),
        "simulated": one.simulated,
        "status": one.status,
        "ttft_ms": one.ttft_ms,
        **record,
    }


def _print_json(record: dict[str, Any]) -> None:
    click.echo(msgspec.json.encode(record).decode())
