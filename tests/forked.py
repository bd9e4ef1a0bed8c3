"""Real processes without their start: forked from one that has imported what they would have to import.

A third of what the suite computed were the imports of the programs that it starts. A `Warm` process has done them; on
demand it forks, and the fork runs a module or a script as the interpreter would have: with its own arguments,
environment, folder, streams, signals and end. It is the test's own child (it is orphaned at once, and the test is where
its orphans go), so that all of `subprocess.Popen` works on it. Variables that an interpreter or a library reads when it
starts (`READ_AT_START`) make another warm process. What a start itself does is for `test_start.py`.
"""

from __future__ import annotations

import atexit
import ctypes
import fcntl
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

READ_AT_START = ("PYTHON", "LANG", "LC_", "TEXTUAL")
LINUX = ("TERM", "linux")
"""The kernel's console: Textual is told at its import not to ask it anything."""
DISPENSABLE = ("jemalloc_bg", "polars-ooc")
"""Threads that Polars starts when it is imported: jemalloc starts its own again after a fork, and the other one clears
away what was swapped out. All others are started when something is computed, which is in the forks."""
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
_ABOVE_ALL = 500
"""Where descriptors are kept until each may take its own number."""
_MOST = 1 << 20


class Warm:
    """A process that has imported something and forks; it begins with the first one that is asked of it."""

    def __init__(self, *imports: str, before: str = "") -> None:
        """Import modules, after `before` (`module:function`) was called."""
        self._imports, self._before = imports, before
        self._lines: dict[frozenset[tuple[str, str]], socket.socket] = {}

    def start(self, argv: Sequence[str], *, terminal: str = "", **options: Any) -> subprocess.Popen[Any]:
        """Start `python ARGV`, which is `-m MODULE …` or `SCRIPT …`; `options` are those of `Popen`.

        `terminal` makes stdin its controlling terminal, in a session of its own: `hears` or `ignores` a hangup.
        """
        env = options.setdefault("env", dict(os.environ))
        if sys.platform != "linux":
            prepare: Callable[[], None] | None = (lambda: take_terminal(terminal)) if terminal else None
            return subprocess.Popen([sys.executable, *argv], preexec_fn=prepare, **options)
        read = frozenset(item for item in env.items() if item[0].startswith(READ_AT_START) or item == LINUX)
        if read not in self._lines:
            self._lines[read] = self._begun(env)
        return _Forked(self._lines[read], terminal, list(argv), **options)

    def _begun(self, env: dict[str, str]) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, __file__, str(theirs.fileno()), self._before, *self._imports]
        path = os.pathsep.join(filter(None, sys.path))
        process = subprocess.Popen(
            command, pass_fds=(theirs.fileno(),), env={**env, "PYTHONPATH": path}, stdin=subprocess.DEVNULL
        )
        theirs.close()

        def end() -> None:
            ours.close()
            process.wait()

        atexit.register(end)
        return ours


class _Forked(subprocess.Popen[Any]):
    """A child that comes from a warm process."""

    def __init__(self, line: socket.socket, terminal: str, argv: list[str], **options: Any) -> None:
        self._line, self._terminal = line, terminal
        super().__init__(argv, **options)

    def _execute_child(self, args, _executable, _prepare, _close, pass_fds, cwd, env, *more) -> None:  # type: ignore[override]
        # Of what follows only the pipes are wanted: (startupinfo, creationflags, shell, p2cread, p2cwrite, …).
        p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite = more[3:9]
        streams = [own if own >= 0 else number for number, own in enumerate((p2cread, c2pwrite, errwrite))]
        order = {
            "argv": args,
            "cwd": os.fspath(cwd) if cwd is not None else os.getcwd(),
            "env": env,
            "numbers": [0, 1, 2, *pass_fds],
            "terminal": self._terminal,
        }
        libc = ctypes.CDLL(None)
        libc.prctl(_SUBREAPER, 1, 0, 0, 0)
        try:
            socket.send_fds(self._line, [json.dumps(order).encode()], [*streams, *pass_fds])
            answer = self._line.recv(64)
        finally:
            libc.prctl(_SUBREAPER, 0, 0, 0, 0)
            self._close_pipe_fds(p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite)
        if not answer:
            raise OSError("the process that others are forked from has ended")
        self.pid, self._child_created = int(answer), True


def take_terminal(hangup: str) -> None:
    """Make stdin the controlling terminal of a new session."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGHUP, signal.SIG_IGN if hangup == "ignores" else signal.SIG_DFL)


# What follows runs in the warm process and its forks.


def _served(line: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Fork on demand. Return in each fork with what it is to do; None at the end."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(line, _MOST, 16)
        if not message:
            return None
        told, tells = os.pipe()
        between = os.fork()
        if not between:
            us = os.getpid()
            pid = os.fork()
            if pid:
                os._exit(0 if os.write(tells, str(pid).encode()) else 1)
            while os.getppid() == us:
                time.sleep(0.0002)
            line.close()
            os.close(told)
            os.close(tells)
            return json.loads(message), descriptors
        os.waitpid(between, 0)  # before the answer: until then its orphan may go to the one who asked
        line.send(os.read(told, 64))
        for number in (told, tells, *descriptors):
            os.close(number)


def _become(order: dict[str, Any], descriptors: list[int]) -> None:
    os.environ.clear()
    os.environ.update(order["env"])
    kept = [fcntl.fcntl(number, fcntl.F_DUPFD, _ABOVE_ALL) for number in descriptors]
    for number in descriptors:
        os.close(number)
    for number, target in zip(kept, order["numbers"], strict=True):
        os.dup2(number, target, inheritable=True)
        os.close(number)
    os.chdir(order["cwd"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if order["terminal"]:
        take_terminal(order["terminal"])
    for name, number, mode, errors in (
        ("stdin", 0, "r", "strict"),
        ("stdout", 1, "w", "strict"),
        ("stderr", 2, "w", "backslashreplace"),
    ):
        lines = name == "stderr" or os.isatty(number)
        old = getattr(sys, name)
        stream = open(  # noqa: SIM115 - stays open as long as the process
            number, mode, 1 if lines else -1, encoding=old.encoding, errors=errors, closefd=False
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _warm(number: str, before: str, *imports: str) -> tuple[dict[str, Any], list[int]] | None:
    if before:
        module, function = before.split(":")
        getattr(importlib.import_module(module), function)()
    for name in imports:
        importlib.import_module(name)
    for thread in Path("/proc/self/task").iterdir():
        name = (thread / "comm").read_text().strip()
        assert thread.name == str(os.getpid()) or name.startswith(DISPENSABLE), (
            f"{name} would be lost in a fork"
        )
    with socket.socket(fileno=int(number)) as line:
        return _served(line)


def _main() -> list[str]:
    """Return what to run in a fork; the warm process itself ends here."""
    task = _warm(*sys.argv[1:])
    if task is None:
        sys.exit(0)
    _become(*task)
    return task[0]["argv"]


if __name__ == "__main__":
    argv = _main()
    if argv[0] == "-m":
        sys.argv = argv[1:]
        sys.path[0] = os.getcwd()
        sys.modules.pop(argv[1], None)  # it is to run, whoever has imported it
        runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = argv
        sys.path[0] = str(Path(argv[0]).parent)
        runpy.run_path(argv[0], run_name="__main__")
