"""A directory for parts of tables while a summary is made; what a crash left of earlier ones is cleared."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from console.records.run_lock import process_exists

_PREFIX: Final = ".summary-"
_NAME: Final = re.compile(re.escape(_PREFIX) + r"(?P<pid>\d{1,9})-.+")
"""Named after the process that works in it: two may summarise a run at once."""


@contextmanager
def workspace_in(run_dir: Path) -> Generator[Path]:
    """Make a directory in the run directory, where files can be renamed into place, and remove it at the end.

    Raises:
        OSError: if it cannot be made or removed.
    """
    _clear_leftovers(run_dir)
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", dir=run_dir) as name:
        yield Path(name)


def _clear_leftovers(run_dir: Path) -> None:
    """Remove workspaces of processes that are gone. One that cannot be removed is in nobody's way."""
    for path in run_dir.glob(f"{_PREFIX}*"):
        match = _NAME.fullmatch(path.name)
        if path.is_dir() and (match is None or not process_exists(int(match["pid"]))):
            shutil.rmtree(path, ignore_errors=True)
