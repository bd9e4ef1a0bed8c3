"""Which files of a search are asked for under the keys of `vllm bench serve`, and their writing when it has ended."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from console.cli.saying import say
from console.vocabulary.errors import ConsoleError

if TYPE_CHECKING:
    from console.capacity.search_result import SearchResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """What is written besides the run directory."""

    directory: Path | None = None
    """A file a level goes there, and the result unless its name says otherwise."""
    result: bool = False
    """One file of the level at the answer, with the whole search in it."""
    filename: Path | None = None
    detailed: bool = False
    """With lists of an entry a request."""

    def check(self) -> None:
        """Find out before anything is sent whether files can be written.

        Raises:
            ConsoleError: if not.
        """
        if self.directory is not None and not self.directory.is_dir():
            raise ConsoleError(f"there is no directory {self.directory}", where="--result-dir")
        if self.filename is not None and not self.result:
            raise ConsoleError("goes with --save-result", where="--result-filename")
        if self.detailed and not self.result and self.directory is None:
            raise ConsoleError("goes with --save-result or --result-dir", where="--save-detailed")
        if not self.result:
            return
        path = (self.directory or Path()) / (self.filename or "")
        holder = path if self.filename is None else path.parent
        if not holder.is_dir():
            raise ConsoleError(f"there is no directory {holder}", where="--save-result")
        if not os.access(holder, os.W_OK) or (self.filename is not None and path.is_dir()):
            raise ConsoleError("cannot be written", where=str(path))

    def write(self, run_dir: Path, found: SearchResult) -> None:
        """Write the files and say where they are.

        Raises:
            ConsoleError: if the disk does not take one; the run directory has the result all the same.
        """
        from console.cli.level_files import write_level_files

        try:
            if self.directory is not None:
                for path in write_level_files(run_dir, found, self.directory, detailed=self.detailed):
                    say(f"result in {path}", err=True)
            if self.result:
                self._write_result(run_dir, found)
        except OSError as error:
            where = str(error.filename or self.directory or "--save-result")
            raise ConsoleError(f"cannot be written: {error.strerror or error}", where=where) from error

    def _write_result(self, run_dir: Path, found: SearchResult) -> None:
        import msgspec

        from console.cli.level_files import answer_file
        from console.cli.result_options import default_name
        from console.engine.arrivals import Level

        try:
            result = answer_file(run_dir, found, detailed=self.detailed)
        except ConsoleError as error:
            say(f"warning: no result is saved: {error}", err=True)
            return
        outcome = result["ultra"]["level"]
        level = Level(max_concurrency=outcome["concurrency"], request_rate=outcome.get("rate"))
        name = self.filename or default_name(result["backend"], found.model, level)
        path = (self.directory or Path()) / name
        path.write_bytes(msgspec.json.encode(result) + b"\n")
        say(f"result in {path}", err=True)
