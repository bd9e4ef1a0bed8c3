"""What commands say to people and pipes, whoever is or is no longer there to read it."""

from __future__ import annotations

import os
import sys
from typing import Any

import click


def say(text: str | bytes, *, err: bool = False) -> None:
    """Print a line; where nobody can read any more, go on in silence: the exit code still tells.

    A reader that is gone (`| head`), a terminal that is gone, and a full disk behind a redirect are alike here.
    """
    stream: Any = sys.stderr if err else sys.stdout
    if stream is None:
        return
    try:
        click.echo(text, err=err)
    except OSError:
        silence(2 if err else 1)


def silence(descriptor: int) -> None:
    """Send what is written to a stream from now on nowhere, so that no later flush fails on it."""
    nothing = os.open(os.devnull, os.O_RDWR)
    if nothing != descriptor:  # a descriptor that was closed may be just the one we are given
        os.dup2(nothing, descriptor)
        os.close(nothing)


def open_standard_streams() -> None:
    """Open what the caller closed of descriptors 0 to 2: else the next file or socket would take their place."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            silence(descriptor)
    if sys.stdout is None:  # where it was closed at the start
        sys.stdout = os.fdopen(1, "w", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)


def flush_at_the_end() -> None:
    """Flush both streams now, so that a reader that is gone does not change the exit code."""
    for descriptor, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            stream.flush()
        except (OSError, ValueError):
            silence(descriptor)
