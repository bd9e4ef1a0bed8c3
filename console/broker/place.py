"""Where shared files lie, and how they are opened: ours alone, no links followed, no strangers' files.

    $ULTRA_CONSOLE_SHARE_DIR, else $XDG_RUNTIME_DIR/ultra-console/share, else /run/user/UID/ultra-console/share,
    else ultra-console/share in the state directory

Runs that look in different places share nothing. /run/user/UID is looked for by itself because a run begun by
cron or `su` has no XDG_RUNTIME_DIR, and should meet the ones that have.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import platformdirs

from console.broker.boot import boot_id
from console.broker.naming import digest
from console.broker.unusable import ShareError

VARIABLE: Final = "ULTRA_CONSOLE_SHARE_DIR"
DAY_S: Final = 86_400
RETIRED_AT: Final = 8
"""Where in a mapped file it says, not 0, that the file has been taken away (`shared_file.py`)."""
_APP: Final = "ultra-console"
_OURS: Final = re.compile(r"(pace|slots|lease)-[0-9a-f]{32}|alive-[0-9a-f]{16}")
_OPEN: Final = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def share_folder() -> Path:
    """Return where runs of this user meet. Nothing is made."""
    chosen = os.environ.get(VARIABLE, "")
    if os.path.isabs(chosen):
        return Path(chosen)
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(runtime):
        return Path(runtime) / _APP / "share"
    by_user = Path(f"/run/user/{os.geteuid()}")
    if _is_ours(by_user):
        return by_user / _APP / "share"
    state = os.environ.get("XDG_STATE_HOME", "")
    home = Path(state) / _APP if os.path.isabs(state) else platformdirs.user_state_path(_APP, appauthor=False)
    return home / "share"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of shared files, of one boot.

    The boot is part of every file's name: a new boot begins anew, and machines that have a home directory in
    common do not meet in it.
    """

    folder: Path = field(default_factory=share_folder)
    boot: str = field(default_factory=boot_id)

    def file_name(self, kind: str, name: str) -> str:
        """Return the name of the file of `kind` for the limit `name`."""
        return f"{kind}-{digest(self.boot, name)}"

    def prepare(self) -> None:
        """Make the folder, 0700.

        Raises:
            ShareError: if it cannot be made, or others may look into it.
        """
        os.close(self._folder())

    def open(self, file_name: str) -> int:
        """Open a file of the folder, made 0600 if it is not there, and return its descriptor.

        Raises:
            ShareError: if it is no regular file of ours, or the system refuses.
        """
        folder = self._folder()
        path = str(self.folder / file_name)
        try:
            fd = os.open(file_name, _OPEN | os.O_CREAT, 0o600, dir_fd=folder)
        except OSError as error:
            raise ShareError(f"cannot be opened: {error.strerror or error}", where=path) from None
        finally:
            os.close(folder)
        try:
            _make_private(fd, path)
        except BaseException:
            os.close(fd)
            raise
        return fd

    def _folder(self) -> int:
        where = str(self.folder)
        try:
            self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                self.folder.mkdir(mode=0o700)
            except FileExistsError:
                pass
            fd = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise ShareError(f"cannot be used: {error.strerror or error}", where=where) from None
        found = os.fstat(fd)
        if found.st_uid != os.geteuid() or found.st_mode & 0o077:
            os.close(fd)
            raise ShareError(
                "is not a directory that only you may enter",
                where=where,
                hint=f"remove it or make it yours (chmod 700), or set {VARIABLE}",
            )
        return fd


def clean(place: Place, wall_s: float) -> int:
    """Remove the files that nobody has used for a day, and return how many.

    A file that is locked is in use however old it is. One that somebody has open, but has not used, is marked as
    taken away, so that its holders open the new one.
    """
    removed = 0
    try:
        names = os.listdir(place.folder)
    except OSError:
        return 0
    for name in names:
        path = place.folder / name
        if not _OURS.fullmatch(name):
            continue
        try:
            if wall_s - path.lstat().st_mtime < DAY_S:
                continue
            fd = os.open(path, _OPEN)
        except OSError:
            continue  # gone meanwhile, or no file of ours
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = os.fstat(fd)
            still_there = path.lstat().st_ino == found.st_ino
            if stat.S_ISREG(found.st_mode) and wall_s - found.st_mtime >= DAY_S and still_there:
                path.unlink()
                if not name.startswith("alive-"):
                    os.pwrite(fd, b"\1", RETIRED_AT)
                removed += 1
        except OSError:
            continue  # in use
        finally:
            os.close(fd)
    return removed


def _make_private(fd: int, path: str) -> None:
    """Refuse what is not ours, close the file to others, and note that it is in use."""
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_nlink > 1:
            raise ShareError("is not a regular file of yours alone", where=path, hint="remove it")
        if stat.S_IMODE(found.st_mode) != 0o600:
            os.fchmod(fd, 0o600)
        os.utime(fd)
    except OSError as error:
        raise ShareError(f"cannot be used: {error.strerror or error}", where=path) from None


def _is_ours(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
