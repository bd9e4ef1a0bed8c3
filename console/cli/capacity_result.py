"""How the result of a level is kept and told."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from console.cli.saying import say
from console.vocabulary.errors import ConsoleError, ExitCode

LEVEL_FILE: Final = "level.json"
"""In the run directory: the result as it was printed."""


def report(
    result: dict[str, Any] | None, path: Path | None, run_dir: Path, *, append: bool, as_json: bool
) -> ExitCode:
    """Write and print the result; its code says whether it is an answer."""
    import msgspec

    from console.capacity.level_result import client_bound
    from console.capacity.level_text import printed
    from console.durable import write_atomic

    if result is None:
        return ExitCode.DONE
    data = msgspec.json.encode(result)
    write_atomic(run_dir / LEVEL_FILE, data)
    if path is not None:
        _save(path, data, append=append)
        say(f"result in {path}", err=True)
    if as_json:
        say(b'{"type":"level",' + data[1:])
    else:
        say("\n".join(printed(result)))
    return ExitCode.INCOMPLETE if client_bound(result) else ExitCode.DONE


def _save(path: Path, data: bytes, *, append: bool) -> None:
    """Write a result, or add it as one more line: a file of one object a line, whoever wrote the last one.

    Raises:
        ConsoleError: if the disk does not take it; the result is in the run directory all the same.
    """
    try:
        if not append:
            path.write_bytes(data + b"\n")
            return
        with path.open("ab+") as file:
            if file.tell():
                file.seek(-1, 2)
                data = data if file.read(1) == b"\n" else b"\n" + data
            file.write(data + b"\n")
    except OSError as error:
        raise ConsoleError(f"cannot be written: {error.strerror or error}", where=str(path)) from error
