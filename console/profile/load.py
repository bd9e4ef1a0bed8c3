"""A profile from its text: TOML, overrides, rate mode, types and references, all problems at once."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from console.profile.complaints import Complaint, complaints
from console.profile.form import NAME, Profile
from console.profile.overrides import Override, apply_overrides, origin_of
from console.profile.places import ProfileSource, find_profile
from console.profile.references import dangling
from console.profile.tables import Table, at_path
from console.profile.toml_lines import KeyPath, dotted, key_lines, line_near
from console.vocabulary.errors import ConsoleError, Problem, Problems
from console.vocabulary.safe_text import safe_line

RATE_MODES = ("fixed", "adaptive")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedProfile:
    """A valid profile and where it came from."""

    profile: Profile
    """With overrides and the rate mode in force applied."""
    name: str
    """The name it was found by; `profile.name` is what the file says."""
    origin: str
    """As errors show it: the path, or `built-in NAME`."""
    path: Path | None
    """None where it is built in."""
    text: str
    """The file as written."""
    rate_mode_from: Literal["flag", "environment", "profile"] = "profile"
    lines: Mapping[KeyPath, int] = field(default_factory=dict[KeyPath, int], repr=False)
    overrides: tuple[Override, ...] = ()
    """What `--set` put in place of the file's values."""
    flags: Mapping[KeyPath, str] = field(default_factory=dict[KeyPath, str], repr=False)
    """Paths that flags of their own stand for, where there is no file."""

    @property
    def builtin(self) -> bool:
        """Whether it came with the program, and so cannot be edited."""
        return self.path is None

    def problem(self, path: KeyPath, message: str, hint: str | None = None) -> Problem:
        """Return a problem located at `path` in this file, or at the flag that put there what stands there."""
        flag = next((flag for start, flag in self.flags.items() if path[: len(start)] == start), None)
        if flag is not None:
            return Problem(flag, None, "", message, hint)
        return _located(Complaint(path, message, hint), self.origin, self.lines, self.overrides)


def load_profile(
    ref: str,
    overrides: Sequence[str] = (),
    *,
    rate_mode: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> LoadedProfile:
    """Find, read and check a profile; no secret is resolved.

    Args:
        ref: a path (with `/` or ending in `.toml`), a user's or a built-in name.
        overrides: texts of `--set`.
        rate_mode: the flag; it beats `--set`, that beats `RATE_MODE`, that beats the file.
        environ: variables to read `RATE_MODE` from; those of the process by default.

    Raises:
        ConsoleError: if it is not there or cannot be read.
        Problems: if it is no TOML or no profile: every problem, with file, line and path.
    """
    return load_source(find_profile(ref), overrides, rate_mode=rate_mode, environ=environ)


def load_source(
    source: ProfileSource,
    overrides: Sequence[str] = (),
    *,
    rate_mode: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> LoadedProfile:
    """Do the same with a text that has been read already."""
    raw, lines = parse_toml(source.text, source.origin)
    raw.setdefault("name", source.name if NAME.fullmatch(source.name) else "unnamed")
    applied, wrong = apply_overrides(raw, overrides)
    mode_from, mode_fault = _set_rate_mode(raw, applied, rate_mode, environ)

    problems = [
        Problem(f"--set {dotted(one.path)}".strip(), None, "", one.message, one.hint) for one in wrong
    ]
    if mode_fault is not None:
        problems.append(mode_fault)
    profile, found = check_profile(raw)
    located = [_located(one, source.origin, lines, applied) for one in found]
    problems.extend(sorted(located, key=lambda one: one.line or 0))
    if profile is None or problems:
        raise Problems(problems)
    return LoadedProfile(
        profile=profile,
        name=source.name,
        origin=source.origin,
        path=source.path,
        text=source.text,
        rate_mode_from=mode_from,
        lines=lines,
        overrides=tuple(applied),
    )


def _located(
    complaint: Complaint, origin: str, lines: Mapping[KeyPath, int], overrides: Sequence[Override]
) -> Problem:
    path = complaint.path
    flag = origin_of(path, overrides, in_file=path in lines)
    if flag is not None:
        return Problem(flag, None, "", complaint.message, complaint.hint)
    return Problem(origin, line_near(lines, path), dotted(path), complaint.message, complaint.hint)


def check_profile(raw: Table) -> tuple[Profile | None, list[Complaint]]:
    """Return the profile, if its types are right, and everything that is wrong with it."""
    references = dangling(raw)
    try:
        return Profile.model_validate(raw), references
    except ValidationError as error:
        found = complaints(error, raw)
    hinted = {one.path: one for one in references if one.hint is not None and one.message == "is missing"}
    found = [hinted.get(one.path, one) if one.message == "is missing" else one for one in found]
    said = {one.path for one in found}
    return None, [*found, *(one for one in references if not _said_already(one.path, said, raw))]


def _said_already(path: KeyPath, said: Collection[KeyPath], raw: Table) -> bool:
    """Say whether `path` is among those complained of, or below one of them that is not even a table."""
    outer = (path[:length] for length in range(1, len(path)))
    return path in said or any(
        one in said and not isinstance(at_path(raw, one), dict | list) for one in outer
    )


def parse_toml(text: str, origin: str) -> tuple[Table, dict[KeyPath, int]]:
    """Read TOML, with the line of every key.

    Raises:
        Problems: a syntax error, alone, with its line.
        ConsoleError: if it is nested too deep to read.
    """
    try:
        return tomllib.loads(text), key_lines(text)
    except RecursionError:
        raise ConsoleError("is nested too deep", where=origin) from None
    except ValueError as error:  # TOMLDecodeError, or a number with too many digits
        raise Problems([_syntax_problem(str(error), text, origin)]) from None


def _syntax_problem(message: str, text: str, origin: str) -> Problem:
    match = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", message, re.DOTALL)
    if match is not None:
        said = f"is not TOML: {safe_line(match[1], 200)}, column {match[3]}"
        return Problem(origin, int(match[2]), "", said)
    if message.startswith("Exceeds the limit"):  # of Python, on the digits of a number
        return Problem(origin, None, "", "is not TOML: it holds a number with too many digits")
    said = message.removesuffix(" (at end of document)")
    return Problem(origin, text.count("\n") + 1, "", f"is not TOML: {safe_line(said, 200)}")


def _set_rate_mode(
    raw: Table, applied: Sequence[Override], flag: str | None, environ: Mapping[str, str] | None
) -> tuple[Literal["flag", "environment", "profile"], Problem | None]:
    """Write the rate mode in force into the raw profile: flag, `--set`, environment, file."""
    if flag is not None:
        return "flag", _write_mode(raw, "--rate-mode", flag)
    if any(override.path == ("rate_mode",) for override in applied):
        return "flag", None
    value = (os.environ if environ is None else environ).get("RATE_MODE", "")
    if value:
        return "environment", _write_mode(raw, "environment RATE_MODE", value)
    return "profile", None


def _write_mode(raw: Table, where: str, mode: str) -> Problem | None:
    if mode not in RATE_MODES:
        return Problem(where, None, "", f"'{safe_line(mode, 40)}' is not fixed or adaptive")
    raw["rate_mode"] = mode
    return None
