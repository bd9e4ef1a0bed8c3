"""`ultra-console simulator`: the simulated provider as a server of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import MISSING, fields
from typing import Any, get_args, get_origin, get_type_hints

import anyio
import click

from console.event_loop import loop_options
from console.sim.config import SimConfig, config_from_json, field_range
from console.sim.http_server import SimulatorServer, serve
from console.sim.player import TestPlayer
from console.vocabulary.safe_text import safe_line
from console.vocabulary.simulated import SimBehaviour

DEFAULT_PORT = 8765
NAME = "sim"
OPEN_FILES = 65_536

FLAG_HELP = {
    "dialect": "How it speaks: OpenAI or Azure OpenAI.",
    "ttft_ms": "Median time to first token of an idle deployment, in ms.",
    "ttft_spread": "Sigma of its lognormal distribution; 0: always the median.",
    "itl_ms": "Median gap between tokens of an idle deployment, in ms.",
    "itl_spread": "Sigma of its lognormal distribution.",
    "load_factor": "With all slots busy, delays are (1 + this) times as long.",
    "output_tokens": "Mean length of an answer, in tokens.",
    "slots": "Requests that one deployment serves at once; the others queue.",
    "queue": "Requests that may wait for a slot; more are answered 503.",
    "key_concurrency": "Requests in flight per key.",
    "deployment_concurrency": "Requests in flight per deployment.",
    "key_qps": "Requests per second and key.",
    "deployment_qps": "Requests per second and deployment.",
    "key_rpm": "Requests per minute and key.",
    "deployment_tpm": "Tokens per minute and deployment, by estimate.",
    "throttle": "Status of a refusal beyond a quota; 400 as some gateways do.",
    "retry_after": "How a refusal says when to come again.",
    "error_rate": "Share of requests answered 500.",
    "cut_rate": "Share of streams cut in the middle.",
    "skill": "How well models play tests; 1: as they should.",
    "skills": "The same of single models: MODEL=0.9, with commas.",
    "models": "Names that are served, with commas; without: any.",
    "keys": "Accepted keys, with commas; without: any, or none. Made-up ones: they show in `ps`.",
}
"""One line for each field of `SimBehaviour`; a test compares."""


def behaviour_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add a flag for each field of `SimBehaviour`, with its type, range and default."""
    hints = get_type_hints(SimBehaviour)
    for field in reversed(fields(SimBehaviour)):
        flag = "--" + field.name.replace("_", "-")
        default: Any = None if field.default in (None, (), MISSING) else field.default
        kind = _flag_type(field.name, hints[field.name])
        option = click.option(
            flag,
            field.name,
            type=kind,
            default=default,
            show_default=default is not None,
            help=FLAG_HELP[field.name],
        )
        command = option(command)
    return command


def _flag_type(name: str, hint: Any) -> click.ParamType[Any]:
    parts = get_args(hint)
    if get_origin(hint) is dict:
        return click.STRING
    if parts and all(isinstance(part, str) for part in parts):
        return click.Choice(list(parts))
    low, high, open_low = field_range(name)
    if hint is int or int in parts:
        return click.IntRange(
            min=None if low is None else int(low), max=None if high is None else int(high), min_open=open_low
        )
    if hint is float or float in parts:
        return click.FloatRange(min=low, max=high, min_open=open_low)
    return click.STRING


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Port; 0: a free one.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Answers are drawn from it.")
@behaviour_flags
@click.option("--config-stdin", is_flag=True, help="Read the configuration as a line of JSON; end at EOF.")
def simulator(host: str, port: int, seed: int, *, config_stdin: bool, **settings: Any) -> None:
    """Serve a simulated provider over HTTP until Ctrl-C. Its answers are not those of a model."""
    raise_open_files()
    if config_stdin:
        config = config_from_json(_first_line())
        _run(_serve_parent, config)
        return
    for name in ("models", "keys"):
        listed: str | None = settings[name]
        settings[name] = tuple(part.strip() for part in (listed or "").split(",") if part.strip())
    settings["skills"] = _skills(settings["skills"])
    config = SimConfig(seed=seed, providers={NAME: SimBehaviour(**settings)})
    _run(_serve_people, config, host, port)


def _skills(text: str | None) -> dict[str, float]:
    """Read `MODEL=0.9,OTHER=0.5`.

    Raises:
        click.BadParameter: if it is something else.
    """
    skills: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in (text or "").split(","))):
        name, _, value = part.rpartition("=")
        try:
            skills[name] = float(value)
        except ValueError:
            name = ""
        if not name:
            raise click.BadParameter(f"{part!r} is not MODEL=NUMBER", param_hint="--skills")
    return skills


def _run(main: Callable[..., Any], *args: Any) -> None:
    anyio.run(main, *args, backend="asyncio", backend_options=loop_options())


async def _serve_people(config: SimConfig, host: str, port: int) -> None:
    """Serve until Ctrl-C or SIGTERM, telling people where."""
    async with serve(config, host=host, port=port, player=TestPlayer()) as server:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            _say_where(server)
            async for _ in signals:
                break
        _say_totals(server)


async def _serve_parent(config: SimConfig) -> None:
    """Serve on a free port until stdin ends, telling the parent which."""
    over = anyio.Event()
    loop = asyncio.get_running_loop()

    def watch_stdin() -> None:
        while os.read(0, 65_536):
            pass
        with suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(over.set)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    async with serve(config, player=TestPlayer()) as server, anyio.create_task_group() as tasks:

        async def watch_signals() -> None:
            with anyio.open_signal_receiver(signal.SIGTERM) as signals:
                async for _ in signals:
                    over.set()

        tasks.start_soon(watch_signals)
        # A thread of its own: a read of stdin cannot be cancelled, and must not keep the process alive.
        threading.Thread(target=watch_stdin, name="stdin", daemon=True).start()
        sys.stdout.write(f'{{"listening": {server.port}}}\n')
        sys.stdout.flush()
        await over.wait()
        tasks.cancel_scope.cancel()


def _first_line() -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        more = os.read(0, 1 if line else 65_536)
        if not more:
            break
        line += more
    return line


def raise_open_files() -> None:
    """Allow as many open files as the system gives without asking: a stream holds one."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _say_where(server: SimulatorServer) -> None:
    behaviour = server.config.providers[NAME]
    model = behaviour.models[0] if behaviour.models else "any"
    key = behaviour.keys[0] if behaviour.keys else "any"
    shown = f"[{server.host}]" if ":" in server.host else server.host
    root = f"http://{shown}:{server.port}"
    if behaviour.dialect == "azure":
        base = root
        url = f"{root}/openai/deployments/{model}/chat/completions?api-version=2024-12-01-preview"
        header = f"api-key: {key}"
    else:
        base = f"{root}/v1"
        url = f"{base}/chat/completions"
        header = f"authorization: Bearer {key}"
    body = f'{{"model": "{model}", "stream": true, "messages": [{{"role": "user", "content": "Hello"}}]}}'
    click.echo(f"SIMULATED provider ({behaviour.dialect}), listening. Base URL: {safe_line(base)}")
    click.echo(safe_line(f"  curl -N '{url}' -H 'content-type: application/json' -H '{header}' -d '{body}'"))
    click.echo("Ctrl-C ends it.")
    sys.stdout.flush()


def _say_totals(server: SimulatorServer) -> None:
    stats = server.stats()
    provider = stats.providers[NAME]
    outcomes = ", ".join(f"{count} {name}" for name, count in sorted(provider.outcomes.items())) or "none"
    click.echo(
        f"SIMULATED provider ended: {provider.requests + stats.refused} requests ({outcomes}, "
        f"{stats.refused} not understood), {provider.tokens_sent} tokens, {provider.peak} in flight at most."
    )
