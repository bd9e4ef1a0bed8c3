"""The command line. Each command lives in a file of its own and is imported only when it is called."""

from __future__ import annotations

import importlib
import sys
from typing import Any, NoReturn

import click

from console import __version__
from console.cli.lazy import LazyGroup
from console.cli.saying import flush_at_the_end, open_standard_streams, say
from console.cli.screen_options import screen_options
from console.vocabulary.errors import ConsoleError, ExitCode

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("console.cli.run:run", "Run phases under a profile, without a screen."),
    "plan": ("console.cli.plan:plan", "Show what a run would do: jobs, shards, tests, limits."),
    "capacity": ("console.cli.capacity:capacity", "Measure what a model bears."),
    "attach": ("console.cli.attach:attach", "Watch a run in the console."),
    "runs": ("console.cli.runs:runs", "List runs."),
    "pause": ("console.cli.control:pause", "Send nothing new in a run."),
    "resume": ("console.cli.control:resume", "Go on with a paused run."),
    "drain": ("console.cli.control:drain", "Finish what is begun in a run, then end it."),
    "stop": ("console.cli.control:stop", "End a run now; what is finished is kept."),
    "set": (
        "console.cli.control:set_",
        "Change limits of a run, and switch keys and deployments off and on.",
    ),
    "summary": ("console.cli.summary:summary", "Summarise a run from its journal."),
    "tests": ("console.cli.tests:tests", "List the tests of a run, or show one with all that was said."),
    "report": (
        "console.cli.report:report",
        "Print the tables of a run's results: phases, comparisons, hierarchy.",
    ),
    "profile": ("console.cli.profile:profile", "List, show, check, compare and make profiles."),
    "tasks": ("console.cli.tasks:tasks", "Look at tasks of the library, with their plans and goals."),
    "doctor": ("console.cli.doctor:doctor", "Say what this machine's client can drive."),
    "simulator": ("console.cli.simulator:simulator", "Serve a simulated provider over HTTP."),
}
"""Command name → where it lives, and its line in the help. No profile may bear one of these names."""


class RootCommands(LazyGroup):
    """The commands, and what else may stand in their place."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Turn `--no-tui …` into `run …`, and anything that is no command into `console …`."""
        if "--no-tui" in args and (not args or args[0] not in COMMANDS):
            args = ["run", *(arg for arg in args if arg != "--no-tui")]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take a first word that is no command for the profile to open the console with."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            module = importlib.import_module("console.cli.console")
            return "console", module.console, args
        return super().resolve_command(ctx, args)


@click.command(
    cls=RootCommands,
    table=COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Without a command: the console. `ultra-console PROFILE` opens it with that profile; "
    "`ultra-console --no-tui …` is `ultra-console run …`.",
)
@click.version_option(__version__, prog_name="ultra-console")
@screen_options
@click.pass_context
def root(ctx: click.Context) -> None:
    """Control console for fleets of LLM endpoints."""
    if ctx.invoked_subcommand is None:
        module = importlib.import_module("console.cli.console")
        ctx.invoke(module.console)


def say_error(error: ConsoleError) -> None:
    """Print a user's error on stderr, made safe for the terminal."""
    from console.vocabulary.safe_text import safe_text

    for line in error.lines():
        say(f"ultra-console: {safe_text(line)}", err=True)


def main(argv: list[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code; users' errors are a line, never a traceback."""
    open_standard_streams()
    code = _run(argv)
    flush_at_the_end()
    sys.exit(code)


def _run(argv: list[str] | None) -> int:
    try:
        _refuse_unreadable(sys.argv[1:] if argv is None else argv)
        result: Any = root.main(argv, prog_name="ultra-console", standalone_mode=False)
    except ConsoleError as error:
        say_error(error)
        return error.exit_code
    except click.exceptions.Abort:
        return ExitCode.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    return int(result) if isinstance(result, int) else ExitCode.DONE


def _refuse_unreadable(arguments: list[str]) -> None:
    """Refuse arguments that are no UTF-8: they could be written neither to a file nor to a terminal."""
    for argument in arguments:
        if not argument.isascii() and any("\ud800" <= character <= "\udfff" for character in argument):
            raise ConsoleError(f"{argument.encode(errors='replace').decode()!r} is not UTF-8 text")
