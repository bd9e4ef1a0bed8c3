"""Where the socket of a run lies, and how its folder is kept private."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import stat
import tempfile
from pathlib import Path

from console.vocabulary.errors import ConsoleError, ExitCode

SOCKET_NAME = "control.sock"
MAX_PATH_BYTES = 100
"""`sun_path` holds 108 bytes on Linux and 104 on macOS, its closing zero byte included."""


def socket_path(run_dir: Path) -> Path:
    """Return where the socket of a run goes: into the run directory, or where that is too long, a short place.

    The short name is made from the run directory's path, so two runs never share one.

    Raises:
        ConsoleError: if even the temporary directory has too long a path.
    """
    plain = run_dir.absolute() / SOCKET_NAME
    if _fits(plain):
        return plain
    name = hashlib.sha256(os.fsencode(run_dir.absolute())).hexdigest()[:16] + ".sock"
    for folder in _runtime_folders():
        if _fits(folder / name):
            return folder / name
    raise ConsoleError(
        "no place for the control socket: the path of every candidate is too long",
        where=str(run_dir),
        hint="set XDG_RUNTIME_DIR or TMPDIR to a directory with a short path",
        exit_code=ExitCode.USAGE,
    )


def listen_at(path: Path) -> socket.socket:
    """Make the folder (0700) and the listening socket (0600), in place of one that no engine answers on.

    Raises:
        ConsoleError: if the folder is not ours, something that is no socket is in the way, an engine is
            alive there, or the system refuses.
    """
    _prepare_folder(path)
    _clear(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.setblocking(False)
        listener.bind(os.fspath(path))
        path.chmod(0o600)
        listener.listen(64)
    except OSError as error:
        listener.close()
        raise ConsoleError(f"cannot make the control socket: {error.strerror}", where=str(path)) from None
    return listener


def _prepare_folder(path: Path) -> None:
    folder = path.parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise ConsoleError(
            f"cannot make the folder of the control socket: {error.strerror}", where=str(folder)
        ) from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise ConsoleError(
            "the folder of the control socket is not a directory that only you can write to",
            where=str(folder),
            hint="remove it or make it yours (chmod 700)",
        )


def socket_inode(path: Path) -> int:
    """Return what tells our socket from another one that took its name later."""
    return path.lstat().st_ino


def remove_socket(path: Path, inode: int) -> None:
    """Remove our socket again, unless something else has taken its place."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISSOCK(found.st_mode) and found.st_ino == inode:
        path.unlink(missing_ok=True)


def _clear(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise ConsoleError(
            "something that is not a socket is where the control socket goes",
            where=str(path),
            hint="move it away",
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        outcome = probe.connect_ex(os.fspath(path))
    if outcome not in (errno.ECONNREFUSED, errno.ENOENT):
        raise ConsoleError(
            "another engine is running here",
            where=str(path.parent),
            hint="watch it with `ultra-console attach`",
        )
    path.unlink(missing_ok=True)


def _runtime_folders() -> list[Path]:
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    private = f"ultra-console-{os.geteuid()}"
    folders = [Path(tempfile.gettempdir()) / private, Path("/tmp") / private]  # noqa: S108 - checked to be ours
    if runtime and Path(runtime).is_absolute():
        folders.insert(0, Path(runtime) / "ultra-console")
    return folders


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= MAX_PATH_BYTES
