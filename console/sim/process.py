"""A simulator in a process of its own, which ends with the one that started it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import IO

import anyio
import msgspec
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from console.sim.config import SimConfig, check_config, config_to_json
from console.sim.http_server import base_url
from console.vocabulary.errors import ConsoleError, ExitCode

START_WITHIN_S = 20.0
END_WITHIN_S = 3.0
LONGEST_LINE_BYTES = 4096


class Listening(msgspec.Struct, frozen=True):
    """What the child says when it is ready."""

    listening: int
    """Its port."""


@asynccontextmanager
async def simulator_process(config: SimConfig) -> AsyncGenerator[dict[str, str], None]:
    """Run a simulator on a free loopback port; yield the base URL of each provider.

    The child ends at the end of its stdin, so that not even a killed parent leaves one behind. It has a
    session of its own: Ctrl-C at the parent's terminal does not reach it.

    Raises:
        ConsoleError: if it does not start.
    """
    check_config(config)
    command = [sys.executable, "-P", "-m", "console", "simulator", "--config-stdin"]
    with tempfile.TemporaryFile() as complaints:
        process = await anyio.open_process(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            start_new_session=True,
        )
        async with process:
            try:
                port = await _port_of(process, config, complaints)
                yield {name: base_url(config, name, port) for name in config.providers}
            finally:
                with anyio.CancelScope(shield=True):
                    await _end(process)


async def _port_of(process: Process, config: SimConfig, complaints: IO[bytes]) -> int:
    """Hand over the configuration and wait for the port."""
    assert process.stdin is not None
    assert process.stdout is not None
    answers = BufferedByteReceiveStream(process.stdout)
    try:
        with anyio.fail_after(START_WITHIN_S):
            await process.stdin.send(config_to_json(config) + b"\n")
            line = await answers.receive_until(b"\n", LONGEST_LINE_BYTES)
        return msgspec.json.decode(line, type=Listening).listening
    except TimeoutError as error:
        reason = f"it did not answer within {START_WITHIN_S:g} s"
        raise _not_started(reason, complaints) from error
    except (
        anyio.BrokenResourceError,
        anyio.ClosedResourceError,
        anyio.EndOfStream,
        anyio.IncompleteRead,
        anyio.DelimiterNotFound,
        msgspec.DecodeError,
    ) as error:
        raise _not_started("it ended or said something else", complaints) from error


def _not_started(reason: str, complaints: IO[bytes]) -> ConsoleError:
    complaints.seek(0)
    last = complaints.read().decode(errors="replace").strip().splitlines()[-1:]
    return ConsoleError(
        "the simulated provider did not start: " + ": ".join([reason, *last]),
        exit_code=ExitCode.OUR_FAULT,
    )


async def _end(process: Process) -> None:
    """Close the child's stdin, which ends it; use force only if it does not."""
    if process.stdin is not None:
        await process.stdin.aclose()
    for force in (process.terminate, process.kill):
        with anyio.move_on_after(END_WITHIN_S):
            await process.wait()
            return
        force()
    await process.wait()
