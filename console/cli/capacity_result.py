"""Where the result of a level goes, and how it is told."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from console.cli.saying import say
from console.vocabulary.errors import ConsoleError, ExitCode

if TYPE_CHECKING:
    from console.engine.load import Level

LEVEL_FILE: Final = "level.json"
"""In the run directory: the result as it was printed."""


def result_name(api: str, model: str, level: Level) -> str:
    """Return the name that `vllm bench serve` would give the file."""
    rate = "inf" if level.request_rate is None else f"{level.request_rate:g}"
    bound = "" if level.max_concurrency is None else f"-concurrency{level.max_concurrency}"
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    return f"{api}-chat-{rate}qps{bound}-{model.rpartition('/')[2]}-{stamp}.json"


def result_path(save: bool, directory: Path | None, name: Path | None, default: str) -> Path | None:
    """Return where the result goes, None for nowhere; found out before anything is sent."""
    if not save:
        return None
    path = (directory or Path()) / (name or Path(default))
    if not path.parent.is_dir():
        raise ConsoleError(f"there is no directory {path.parent}", where=str(path))
    if not os.access(path.parent, os.W_OK) or path.is_dir():
        raise ConsoleError("cannot be written", where=str(path))
    return path


def report(result: dict[str, Any] | None, path: Path | None, run_dir: Path, *, as_json: bool) -> ExitCode:
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
