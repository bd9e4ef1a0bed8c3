"""Where profiles are: a path, the user's directory, the built-in ones. Finding and reading their text."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import platformdirs

from console.profile.complaints import meant_hint
from console.profile.form import NAME
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line

MOST_BYTES = 1_000_000
_APP = "ultra-console"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileSource:
    """The text of a profile and where it was found."""

    name: str
    """The name it goes by: the file's, without `.toml`."""
    origin: str
    """As errors show it: the path, or `built-in NAME`."""
    path: Path | None
    """None where it is built in."""
    text: str

    @property
    def builtin(self) -> bool:
        """Whether it came with the program, and so cannot be edited."""
        return self.path is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfilePlace:
    """A profile that can be named, not read yet."""

    name: str
    path: Path | None
    """None where it is built in."""
    hidden: bool = False
    """A built-in one whose name the user has given to a file of their own."""


def user_profiles_dir() -> Path:
    """Return where a user's profiles live; it need not exist."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    if base and os.path.isabs(base):
        return Path(base) / _APP / "profiles"
    return platformdirs.user_config_path(_APP, appauthor=False) / "profiles"


def list_profiles() -> list[ProfilePlace]:
    """Return the built-in profiles and the user's, each by name, the built-in ones first."""
    directory = user_profiles_dir()
    own = {path.stem: path for path in _toml_files(directory)}
    builtin = [ProfilePlace(name=name, path=None, hidden=name in own) for name in builtin_names()]
    return [*builtin, *(ProfilePlace(name=name, path=own[name]) for name in sorted(own))]


def builtin_names() -> list[str]:
    """Return the names of the built-in profiles, `sim` first."""
    names = [
        entry.name.removesuffix(".toml")
        for entry in resources.files("profiles").iterdir()
        if entry.name.endswith(".toml")
    ]
    return sorted(names, key=lambda name: (name != "sim", name))


def find_profile(ref: str) -> ProfileSource:
    """Find a profile by path (it holds `/` or ends in `.toml`) or by name: the user's, then the built-in.

    Raises:
        ConsoleError: if there is none, or it cannot be read.
    """
    if "/" in ref or ref.endswith(".toml"):
        path = Path(ref)
        return ProfileSource(name=path.stem, origin=ref, path=path, text=read_text(path))
    if NAME.fullmatch(ref) is not None:
        path = user_profiles_dir() / f"{ref}.toml"
        if os.path.lexists(path):
            return ProfileSource(name=ref, origin=str(path), path=path, text=read_text(path))
        if ref in builtin_names():
            text = resources.files("profiles").joinpath(f"{ref}.toml").read_text("utf-8")
            return ProfileSource(name=ref, origin=f"built-in {ref}", path=None, text=text)
    names = list(dict.fromkeys(place.name for place in list_profiles()))
    raise ConsoleError(
        f"there is no profile '{safe_line(ref, 80)}'", hint=meant_hint(ref, names, what="there are")
    )


def read_text(path: Path) -> str:
    """Read a small UTF-8 file.

    Raises:
        ConsoleError: if it is missing, unreadable, no regular file, over 1 MB or not UTF-8.
    """
    where = str(path)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise ConsoleError("is a directory, not a file", where=where)
        if not stat.S_ISREG(mode):  # reading a pipe or a device might never end
            raise ConsoleError("is not a regular file", where=where)
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ConsoleError("there is no such file", where=where) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConsoleError(f"cannot be read: {reason}", where=where) from None
    if len(data) > MOST_BYTES:
        raise ConsoleError("is larger than 1 MB", where=where)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConsoleError(
            f"is not UTF-8 text (byte 0x{data[error.start]:02x})", where=f"{where}:{line}"
        ) from None


def _toml_files(directory: Path) -> list[Path]:
    try:
        found = [path for path in directory.iterdir() if path.suffix == ".toml"]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ConsoleError(f"cannot be read: {error.strerror}", where=str(directory)) from None
    return [path for path in found if NAME.fullmatch(path.stem) is not None]
