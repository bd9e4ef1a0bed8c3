"""Reading phase files, built-in and the user's, and choosing phases by id, range or path."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Final

from console.phases.phase import Phase
from console.profile.named_files import NamedFiles
from console.vocabulary.errors import ConsoleError


def builtin_phases() -> dict[str, str]:
    """Return id → TOML text of the built-in phases, in order of their ids."""
    return _FILES.builtin()


def phase_ids() -> list[str]:
    """Return the ids of all phases that a name finds: built-in ones and the user's."""
    return sorted({*builtin_phases(), *_FILES.own_ids()})


def main_phase_ids() -> list[str]:
    """Return the ids of the phases that ranges and `all` go over: those that are no variant of another one."""
    builtin = builtin_phases()
    folder = _FILES.user_dir()
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
    return _FILES.load(reference)


_FILES: Final = NamedFiles("phase", "phases", Phase, lambda _: f"known: {', '.join(phase_ids())}")


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
