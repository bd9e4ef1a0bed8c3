"""Reading phase files, built-in and the user's, and choosing phases by id, range or path."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from console.phases.phase import Phase
from console.profile.complaints import complaints
from console.profile.load import parse_toml
from console.profile.places import read_text, user_profiles_dir
from console.profile.toml_lines import dotted, line_near
from console.vocabulary.errors import ConsoleError, Problem, Problems


def builtin_phases() -> dict[str, str]:
    """Return id → TOML text of the built-in phases, in order of their ids."""
    folder = resources.files("profiles") / "phases"
    names = sorted(
        entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")
    )
    return {name: (folder / f"{name}.toml").read_text(encoding="utf-8") for name in names}


def user_phases_dir() -> Path:
    """Return where a user's phases live, beside the profiles; it need not exist."""
    return user_profiles_dir().parent / "phases"


def phase_ids() -> list[str]:
    """Return the ids of all phases that a name finds: built-in ones and the user's."""
    return sorted({*builtin_phases(), *(path.stem for path in user_phases_dir().glob("*.toml"))})


def main_phase_ids() -> list[str]:
    """Return the ids of the phases that ranges and `all` go over: those that are no variant of another one."""
    builtin = builtin_phases()
    folder = user_phases_dir()
    return [name for name in phase_ids() if not _is_variant(folder / f"{name}.toml", builtin.get(name, ""))]


def _is_variant(own: Path, builtin: str) -> bool:
    """Whether a phase says so itself; one that cannot be read is none, and is complained of when it is loaded."""
    try:
        return "variant_of" in tomllib.loads(own.read_text("utf-8") if own.is_file() else builtin)
    except (OSError, ValueError):
        return False


def load_phase(reference: str) -> Phase:
    """Read one phase: a path (has `/` or `.toml`), else the user's, else a built-in one.

    Raises:
        ConsoleError: not found, or (as Problems) with everything that is wrong in it, located.
    """
    if "/" in reference or reference.endswith(".toml"):
        return read_phase(read_text(Path(reference)), reference)
    own = user_phases_dir() / f"{reference}.toml"
    if own.is_file():
        return read_phase(read_text(own), str(own))
    text = builtin_phases().get(reference)
    if text is None:
        raise ConsoleError(
            f"there is no phase {reference!r}",
            hint=f"known: {', '.join(phase_ids())}; or give a path to a .toml file",
        )
    return read_phase(text, f"built-in {reference}")


def read_phase(text: str, origin: str) -> Phase:
    """Return the phase that `text` holds.

    Raises:
        Problems: if it is no TOML or no phase: every problem, with file, line and path.
    """
    raw, lines = parse_toml(text, origin)
    try:
        return Phase.model_validate(raw)
    except ValidationError as error:
        problems = [
            Problem(origin, line_near(lines, one.path), dotted(one.path), one.message, one.hint)
            for one in complaints(error, raw, Phase)
        ]
        raise Problems(sorted(problems, key=lambda problem: problem.line or 0)) from None


def load_phases(references: tuple[str, ...]) -> list[Phase]:
    """Read phases by `5.1`, `5.1-5.3` (those known, in order, without variants), `all`, or paths; each one once, in the order given."""
    chosen: list[str] = []
    for reference in ",".join(references).split(","):
        for name in _expand(reference.strip()):
            if name not in chosen:
                chosen.append(name)
    return [load_phase(name) for name in chosen]


def phases_by_name(names: Collection[str]) -> dict[str, Phase]:
    """Read those of some phases that are found by name."""
    known = phase_ids() if names else []
    return {name: load_phase(name) for name in sorted(names) if name in known}


def _expand(reference: str) -> list[str]:
    if not reference:
        raise ConsoleError("a phase has no name", hint=f"known: {', '.join(phase_ids())}")
    if reference == "all":
        return [name for name in main_phase_ids() if name in builtin_phases()]
    first, dash, last = reference.partition("-")
    known = phase_ids()
    if not dash or reference in known or "/" in reference or reference.endswith(".toml"):
        return [reference]
    main = main_phase_ids()
    if first in known and not last[:1].isdigit():
        raise ConsoleError(f"there is no phase {reference!r}", hint=f"known: {', '.join(known)}")
    for end in (first, last):
        if end not in known:
            raise ConsoleError(
                f"there is no phase {end!r} in {reference!r}", hint=f"known: {', '.join(known)}"
            )
        if end not in main:
            raise ConsoleError(
                f"phase {end!r} is a variant of another one, and no end of a range",
                hint=f"name it by itself, or take ends of {', '.join(main)}",
            )
    if main.index(first) > main.index(last):
        raise ConsoleError(f"{reference!r} runs backwards", hint=f"write {last}-{first}")
    return main[main.index(first) : main.index(last) + 1]
