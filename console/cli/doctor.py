"""`ultra-console doctor`: what this machine is fit for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click

from console.cli.saying import say
from console.vocabulary.errors import ExitCode

if TYPE_CHECKING:
    from console.client_ceiling import ClientCeiling, StreamStep

_BUSY: Final = 0.85
"""Share of a core below which the client was not what was slow."""
_LIMIT_WORDS: Final = {"client": "client too slow", "simulator": "simulator too slow", "": "fit"}


@click.command()
@click.option("--client", is_flag=True, help="Measure what this client drives, for some 20 s.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line on stdout, and nothing else there.")
def doctor(*, client: bool, as_json: bool) -> int:
    """Say what this machine's client can drive, before a capacity test finds out."""
    import anyio

    from console.client_ceiling import machine, measure_client
    from console.event_loop import loop_options

    def progress(text: str) -> None:
        say(f"doctor: {text}", err=True)

    if client:
        progress("measures the client against its own simulator, about 20 s")
        found = anyio.run(measure_client, progress, backend_options=loop_options())
    else:
        found = machine()
    if as_json:
        say(_json(found))
    else:
        say("\n".join(ceiling_lines(found)))
    return ExitCode.DONE


def _json(found: ClientCeiling) -> bytes:
    import msgspec

    derived = {
        "in_flight": found.in_flight,
        "chunks_per_s": found.chunks_per_s,
        "chunks_per_cpu_s": found.chunks_per_cpu_s,
        "ended_by": found.ended_by,
        "crowded": found.crowded,
        "connections": found.connections,
    }
    return msgspec.json.encode({"type": "client", **msgspec.to_builtins(found), **derived})


def ceiling_lines(found: ClientCeiling) -> list[str]:
    """Return what people read."""
    cores = "1 core" if found.cores == 1 else f"{found.cores} cores"
    lines = [
        _line("machine", f"{cores}, Python {sys.version.split()[0]}, {found.event_loop}"),
        _line(
            "open files", f"{_files(found.open_files)}: about {_files(found.connections)} requests in flight"
        ),
    ]
    if found.open_files < found.open_files_at_most:
        lines.append(_line("", f"may be raised: ulimit -n {_files(found.open_files_at_most)}"))
    if found.requests_per_s is None:
        lines.append(_line("client", "not measured: ultra-console doctor --client"))
        return lines
    lines += [
        _line("requests", _requests(found)),
        "",
        f"streams of {found.tokens_per_s} tokens/s, one process",
        f"{'at once':>10}{'chunks/s':>11}{'read delay p99':>17}{'loop lag p99':>15}{'cpu':>7}  ",
        *(_step(step) for step in sorted(found.steps, key=lambda step: step.in_flight)),
        "",
        *_meaning(found),
    ]
    return lines


def _requests(found: ClientCeiling) -> str:
    share = found.requests_cpu_share
    slower = share is not None and share < _BUSY
    cpu = "" if share is None else f", {100 * share:.0f} % of a core"
    return (
        f"{'at least ' if slower else ''}{found.requests_per_s:,.0f}/s with short answers, {found.requests_at_once} at "
        f"once, one process{cpu}"
    )


def _line(label: str, text: str) -> str:
    return f"{label:<13}{text}"


def _files(count: int) -> str:
    return "unlimited" if count > 10**9 else f"{count:,}"


def _step(step: StreamStep) -> str:
    health = step.health
    read, lag = (
        "n/a" if ms is None else f"{ms:.1f} ms" for ms in (health.read_delay_p99_ms, health.loop_lag_p99_ms)
    )
    cpu = "n/a" if health.cpu_share is None else f"{100 * health.cpu_share:.0f} %"
    crowded = ", other programs in the way" if step.crowded else ""
    failed = f", {step.failed} failed" if step.failed else ""
    return (
        f"{step.in_flight:>10,}{step.chunks_per_s:>11,.0f}{read:>17}{lag:>15}{cpu:>7}  "
        f"{_LIMIT_WORDS[step.limit]}{crowded}{failed}"
    )


def _meaning(found: ClientCeiling) -> list[str]:
    """Say what follows for a capacity test."""
    if found.in_flight is None:
        return [
            "This client's clock is not right even with the fewest streams: measure on a quieter machine."
        ]
    at_least = "at least " if found.ended_by != "client" else "about "
    most = found.in_flight
    drives = f"One process drives {at_least}{most:,} in flight at {found.tokens_per_s} tokens/s with its clock right"
    lines = [
        f"{drives}: {found.chunks_per_s:,.0f} chunks/s.",
        f"Of a ramp, up to --max-concurrency {most} is the server's; beyond it takes "
        + ("a quieter machine." if found.crowded else "--processes, one a core."),
        f"Where a stream has R tokens/s, it is about {most * found.tokens_per_s:,} / R in flight.",
    ]
    if found.crowded:
        lines.append(
            f"Other programs kept it from a CPU where it ended: by its CPU time alone it would be "
            f"{found.chunks_per_cpu_s or 0.0:,.0f} chunks/s at most."
        )
    elif found.ended_by == "simulator":
        lines.append("It was the simulator that ended it, not the client.")
    return lines
