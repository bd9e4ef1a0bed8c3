"""Start-up: nothing heavy is imported before it is needed, and the wheel works outside the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from commands import ultra, ultra_here

ROOT = Path(__file__).parents[2]


def loaded_by(*statements: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has after these statements."""
    code = "; ".join([*statements, "import sys", "print(*{name.partition('.')[0] for name in sys.modules})"])
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(out.stdout.split())


def test_the_version_loads_nothing_heavy():
    code, out, _ = ultra("--version")
    assert (code, out.startswith("ultra-console")) == (0, True)
    loaded = loaded_by("import console.cli")
    assert not loaded & {"textual", "polars", "httpx", "pydantic", "anyio", "msgspec"}


def test_an_engine_process_loads_neither_screens_nor_tables():
    modules = "console.run, console.run_level, console.cli.run, console.cli.capacity_run"
    assert not loaded_by(f"import {modules}") & {"textual", "polars"}


def test_the_console_opens_without_tables():
    assert "polars" not in loaded_by("import console.app, console.cli.backend")


def test_a_plan_is_there_without_engine_client_or_tables():
    code = "from console.cli import main; import sys\ntry: main(['plan', '--phase', '5.1'])\nexcept SystemExit: pass"
    show = "print(*(name for name in sys.modules if name in {'polars', 'httpx', 'console.engine.engine'}))"
    out = subprocess.run(
        [sys.executable, "-c", f"{code}\n{show}"], capture_output=True, text=True, check=True
    )
    assert out.stdout.splitlines()[-1] == ""


def test_help_names_every_command():
    from console.cli import COMMANDS

    code, out, _ = ultra("--help")
    assert code == 0
    assert all(name in out for name in COMMANDS)
    for name in COMMANDS:
        code, out, err = ultra_here(name, "--help")
        assert code == 0, err


def test_an_installed_wheel_works_outside_the_checkout(tmp_path: Path):
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)],
        check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site), str(wheel)],
        check=True, capture_output=True,
    )  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(site)}
    where = subprocess.run(
        [sys.executable, "-c", "import console; print(console.__file__)"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert where.stdout.startswith(str(site))
    listed = subprocess.run(
        [site / "bin" / "ultra-console", "profile", "list"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "corrected-0824" in listed.stdout
    planned = subprocess.run(
        [site / "bin" / "ultra-console", "plan", "--phase", "5.1"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "800 tests" in planned.stdout
