"""What adaptive runs have learnt of the limits of their lanes, in one file for all runs of a user.

    $XDG_STATE_HOME/ultra-console/learnt.json       0600, replaced in one step
    $XDG_STATE_HOME/ultra-console/learnt.lock       held while it is read, changed and written

An entry bears the identity of its lane, a hash that leads to no key, and the names by which people know it. What is
no such file is taken for an empty one: an estimate is worth a search of a minute, and no run ends for that.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

import msgspec

from console.durable import write_atomic
from console.records.run_dir import runs_home
from console.vocabulary.errors import ConsoleError
from console.vocabulary.learnt import Learnt

KEPT_FOR_S: Final = 30 * 86_400.0
MOST_ENTRIES: Final = 2000
MOST_BYTES: Final = 4 * 1024 * 1024
_LONGEST_NAME: Final = 500
_PATIENCE_S: Final = 2.0
_PAUSE_S: Final = 0.01
_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_LOCK: Final = os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


class KnownLane(msgspec.Struct, frozen=True, kw_only=True):
    """What a lane learnt, and the names by which a person knows it. No secret is in it."""

    provider: str
    model: str
    deployment: str
    key: str
    """Its name in the profile, such as `key0`."""
    base_url: str
    key_source: str = ""
    """Where the key was found, such as `env:LAB_KEY_0`; empty: none was needed."""
    learnt: Learnt


class _File(msgspec.Struct):
    version: Literal[1]
    lanes: dict[str, KnownLane]


class LearntStore:
    """The file. Any number of runs may read and change it at once."""

    def __init__(self, folder: Path | None = None) -> None:
        """Keep it in `folder`; None: where the state of this program is kept."""
        folder = runs_home(create=False).parent if folder is None else folder
        self.path = folder / "learnt.json"
        self._lock_path = folder / "learnt.lock"

    def read(self, wall_s: float, on_garbage: Callable[[str], None] = lambda _: None) -> dict[str, KnownLane]:
        """Return what is known by the identity of lanes, nothing of it older than 30 days.

        Args:
            wall_s: the Unix time now.
            on_garbage: told in words if the file is none of ours; it is then as good as empty.

        Raises:
            ConsoleError: if it is there and cannot be read.
        """
        try:
            data = self._bytes()
        except OSError as error:
            raise ConsoleError(f"cannot be read: {error.strerror or error}", where=str(self.path)) from None
        if data is None:
            return {}
        try:
            lanes = msgspec.json.decode(data, type=_File).lanes
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            on_garbage(f"{self.path}: is taken for empty, as it cannot be made sense of: {error}")
            return {}
        return _kept(lanes, wall_s)

    def put(
        self,
        found: Mapping[str, KnownLane],
        wall_s: float,
        *,
        own: Collection[str] = (),
        on_garbage: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Add what was found to what others have put there.

        An entry that speaks of a rate is replaced by a younger one that does so too, and not by one that only knows how
        many were in flight: a run with little to do has not met the rate, and has nothing to say against it.

        Args:
            found: by the identity of lanes.
            wall_s: the Unix time now.
            own: lanes whose entry is the caller's own, and replaced in any case.
            on_garbage: as for `read`.

        Raises:
            ConsoleError: if that is not possible now; the file is as it was.
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._locked():
                lanes = self.read(wall_s, on_garbage)
                for identity, entry in found.items():
                    if identity in own or _is_news(entry.learnt, lanes.get(identity)):
                        lanes[identity] = _shortened(entry)
                write_atomic(self.path, _encoded(_kept(lanes, wall_s)))
        except OSError as error:
            raise ConsoleError(
                f"cannot be written: {error.strerror or error}", where=str(self.path)
            ) from None

    def _bytes(self) -> bytes | None:
        try:
            fd = os.open(self.path, _READ)
        except FileNotFoundError:
            return None
        with os.fdopen(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise OSError(0, "is not a regular file")
            data = file.read(MOST_BYTES + 1)
        return data if len(data) <= MOST_BYTES else b""  # no file of ours is as large

    @contextmanager
    def _locked(self) -> Generator[None]:
        fd = os.open(self._lock_path, _LOCK, 0o600)
        try:
            deadline = time.monotonic() + _PATIENCE_S
            while True:
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise OSError(0, "another process holds its lock") from None
                    time.sleep(_PAUSE_S)
            yield
        finally:
            os.close(fd)


def _is_news(learnt: Learnt, old: KnownLane | None) -> bool:
    if old is None:
        return True
    return learnt.at_s > old.learnt.at_s and (learnt.has_rate or not old.learnt.has_rate)


def name_kept(name: str) -> str:
    """Return a name as entries have it: one that is longer is cut, nobody reads it."""
    return name[:_LONGEST_NAME]


def _kept(lanes: Mapping[str, KnownLane], wall_s: float) -> dict[str, KnownLane]:
    """Return what is young enough, and no more of it than there may be, the youngest first."""
    young = [
        (identity, entry) for identity, entry in lanes.items() if entry.learnt.age_s(wall_s) < KEPT_FOR_S
    ]
    return dict(sorted(young, key=lambda item: item[1].learnt.age_s(wall_s))[:MOST_ENTRIES])


def _encoded(lanes: dict[str, KnownLane]) -> bytes:
    while True:
        data = msgspec.json.format(msgspec.json.encode(_File(1, lanes)), indent=1) + b"\n"
        if len(data) <= MOST_BYTES:
            return data
        lanes = dict(list(lanes.items())[: len(lanes) // 2])


def _shortened(entry: KnownLane) -> KnownLane:
    """Bound its names."""
    names = ("provider", "model", "deployment", "key", "base_url", "key_source")
    return msgspec.structs.replace(entry, **{name: name_kept(getattr(entry, name)) for name in names})
