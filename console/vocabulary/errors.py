"""Errors that a user sees, and the exit codes of every command.

    ConsoleError            message, where, hint, exit code
    +-- Problems            several located problems of one file, shown together

Everything else that escapes is our fault (exit code 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """What a command says to the shell."""

    DONE = 0
    OUR_FAULT = 1
    USAGE = 2
    """Usage, or a file unreadable or malformed."""
    INCOMPLETE = 3
    """Done, but infrastructure failures remain, or a capacity answer is undecided or INVALID."""
    CHECK_FAILED = 4
    """Valid in itself, but a check or gate failed."""
    INTERRUPTED = 130
    """Interrupted: what is finished is kept."""


class ConsoleError(Exception):
    """An error said in words: what is wrong, where, and how to mend it."""

    def __init__(
        self,
        message: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        exit_code: ExitCode = ExitCode.USAGE,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint
        self.exit_code = exit_code

    def lines(self) -> list[str]:
        """Return the lines to print, the first one located as `where: message`."""
        first = f"{self.where}: {self.message}" if self.where else self.message
        return [first, f"  hint: {self.hint}"] if self.hint else [first]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file, as `file:line: path: message`."""

    file: str
    line: int | None
    path: str
    """Dotted path of the key, such as `limits.azure.open.fixed.workers`; empty for the whole file."""
    message: str
    hint: str | None = None

    def text(self) -> str:
        """Return the located line, with the hint in brackets behind it."""
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        parts = [where, self.path, self.message] if self.path else [where, self.message]
        return ": ".join(parts) + (f" ({self.hint})" if self.hint else "")


class Problems(ConsoleError):  # noqa: N818 - it is a list of them
    """All problems of one file at once, so that a user mends it in one go."""

    def __init__(self, problems: list[Problem], *, exit_code: ExitCode = ExitCode.USAGE) -> None:
        if not problems:
            raise ValueError("Problems needs at least one problem")
        super().__init__(problems[0].text(), exit_code=exit_code)
        self.problems = problems

    def lines(self) -> list[str]:
        """Return one line a problem."""
        return [problem.text() for problem in self.problems]
