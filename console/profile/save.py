"""A user's own profile file written over, renamed and deleted, never without the old text being there still."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from console.durable import write_atomic
from console.profile.places import read_text
from console.profile.write import create_profile, refuse_builtin
from console.vocabulary.errors import ConsoleError


class ChangedOnDisk(ConsoleError):  # noqa: N818 - it says what was found
    """The file is not what was read: somebody else has written or removed it since."""


def save_over(path: Path, text: str, *, read: str | None, keep_old: bool) -> Path | None:
    """Replace a profile file in one step; it keeps its mode, and a link to it stays one.

    Args:
        path: the file.
        text: what to write.
        read: what stood there when it was read; None: whatever stands there.
        keep_old: whether the old text is kept beside it as `NAME.toml~`.

    Returns:
        Where the old text is kept, if it is.

    Raises:
        ChangedOnDisk: if it is not what was read; nothing was written.
        ConsoleError: if it cannot be written; what was there still is.
    """
    try:
        old = read_text(path) if os.path.lexists(path) else None
        if read is not None and old != read:
            said = "has been changed by somebody else" if old is not None else "is no longer there"
            raise ChangedOnDisk(f"{said} since it was read; nothing was written", where=str(path))
        real = Path(os.path.realpath(path))
        mode = stat.S_IMODE(real.stat().st_mode) if real.exists() else 0o600
        kept = None
        if keep_old and old is not None:
            kept = real.with_name(f"{real.name}~")
            write_atomic(kept, old.encode(), mode)
        write_atomic(real, text.encode(), mode)
    except OSError as error:
        raise ConsoleError(f"cannot be written: {error.strerror}", where=str(path)) from None
    return kept


def delete_profile(path: Path) -> Path:
    """Take a profile file away; return where its text is kept.

    Raises:
        ConsoleError: if it is not there or cannot be taken away.
    """
    kept = path.with_name(f"{path.name}~")
    try:
        os.replace(path, kept)
    except OSError as error:
        raise ConsoleError(f"cannot be deleted: {error.strerror}", where=str(path)) from None
    return kept


def rename_profile(path: Path, name: str, text: str) -> Path:
    """Give a profile another name, with `text` that says so; return its new path.

    Raises:
        ConsoleError: if there is one of that name, or the place cannot be written; the old one is still there.
    """
    refuse_builtin(name)
    made = create_profile(name, text)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        made.unlink()
        raise ConsoleError(f"cannot be renamed: {error.strerror}", where=str(path)) from None
    return made
