"""Every test starts from a clean, private environment: no discovered configuration, no real keys, no proxies."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import hypothesis
import pytest
from seeds import examples

# Where a failure stops a delivery, the examples are the same every time; elsewhere each run looks for new ones. How long
# one takes says nothing on a machine that others use as well.
hypothesis.settings.register_profile("console", max_examples=examples(100), deadline=None)
hypothesis.settings.register_profile("ci", hypothesis.settings.get_profile("console"), derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "console")

# The suite starts hundreds of interpreters: what one has compiled, the others read, whatever the caller wants elsewhere.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A shell starts what it runs in the background deaf to Ctrl-C, and children inherit that. Tests send it to theirs.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

KEPT = {"PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "PYTEST_XDIST_WORKER", "PYTEST_CURRENT_TEST"}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drop all variables but a few, and point every XDG directory into a fresh one, which is returned."""
    for name in list(os.environ):
        if name not in KEPT and not name.startswith(("PYTEST", "COV_", "PYTHON")):
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    runtime = home / "runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    return home
