"""TOML files of one kind that are called by name: built-in ones, a user's own beside the profiles, or any by path."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from console.profile.complaints import complaints
from console.profile.load import parse_toml
from console.profile.places import read_text, user_profiles_dir
from console.profile.toml_lines import dotted, line_near
from console.vocabulary.errors import ConsoleError, Problem, Problems

FormT = TypeVar("FormT", bound=BaseModel)


class NamedFiles(Generic[FormT]):
    """All files of a kind."""

    def __init__(self, what: str, folder: str, form: type[FormT], hint: Callable[[str], str]) -> None:
        """Find files in a folder of that name, in `profiles` and beside the user's profiles.

        Args:
            what: one of them, in words, such as `phase`.
            folder: its name.
            form: what they hold.
            hint: says which there are to somebody who asked for a name that there is not.
        """
        self._what = what
        self._folder = folder
        self._form = form
        self._hint = hint

    def builtin(self) -> dict[str, str]:
        """Return id → TOML text of the built-in ones, in order of their ids."""
        folder = resources.files("profiles") / self._folder
        names = sorted(
            entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")
        )
        return {name: (folder / f"{name}.toml").read_text(encoding="utf-8") for name in names}

    def user_dir(self) -> Path:
        """Return where the user's are; it need not exist."""
        return user_profiles_dir().parent / self._folder

    def own_ids(self) -> list[str]:
        """Return the ids of the user's, in their order."""
        return sorted(path.stem for path in self.user_dir().glob("*.toml"))

    def load(self, reference: str) -> FormT:
        """Read one: a path (has `/` or `.toml`), else the user's, else a built-in one.

        Raises:
            ConsoleError: not found, or (as Problems) with everything that is wrong in it, located.
        """
        if "/" in reference or reference.endswith(".toml"):
            return self.read(read_text(Path(reference)), reference)
        own = self.user_dir() / f"{reference}.toml"
        if own.is_file():
            return self.read(read_text(own), str(own))
        text = self.builtin().get(reference)
        if text is None:
            raise ConsoleError(
                f"there is no {self._what} {reference!r}",
                hint=f"{self._hint(reference)}; or give a path to a .toml file",
            )
        return self.read(text, f"built-in {reference}")

    def read(self, text: str, origin: str) -> FormT:
        """Return what `text` holds.

        Raises:
            Problems: if it is no TOML or has another form: every problem, with file, line and path.
        """
        raw, lines = parse_toml(text, origin)
        try:
            return self._form.model_validate(raw)
        except ValidationError as error:
            problems = [
                Problem(origin, line_near(lines, one.path), dotted(one.path), one.message, one.hint)
                for one in complaints(error, raw, self._form)
            ]
            raise Problems(sorted(problems, key=lambda problem: problem.line or 0)) from None
