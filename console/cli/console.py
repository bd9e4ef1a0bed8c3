"""The command `console`: the screen, for those who type a profile's name or nothing at all."""

from __future__ import annotations

import click

from console.cli.screen_options import screen_options


@click.command(short_help="Open the console.")
@click.argument("profile", required=False)
@screen_options
def console(profile: str | None = None) -> int:
    """Open the console, with PROFILE chosen: a built-in name, a name of yours, or a file."""
    from console.screens.terminal import prepare_environment, require_terminal

    require_terminal()
    prepare_environment()
    from console.app import StartAt, run_app
    from console.cli.backend import real_backend

    backend = real_backend(profile, ask_setup=profile is None)
    place = "profiles" if backend.profiles.is_first_start() else "launch"
    closed = run_app(backend, StartAt(place, profile=profile or "sim"))
    if closed.leaving is not None:
        for line in closed.leaving.lines():
            click.echo(line, err=True)
    return closed.exit_code
