"""What can be exported, how the file is called by default, and what is asked first. No Textual here."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final, get_args

from console.screens.results.needs import Format, RunHead, What
from console.screens.results.places import Place

WHATS: Final[tuple[What, ...]] = get_args(What)
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
WHAT_WORDS: Final[dict[What, str]] = {
    "table": "table as shown",
    "tests": "tests (all columns)",
    "summary": "summary",
}
FORMAT_WORDS: Final[dict[Format, str]] = {
    "csv": "CSV",
    "json": "JSON",
    "parquet": "Parquet",
    "md": "Markdown",
}
_NOT_IN_NAME: Final = re.compile(r"[^A-Za-z0-9._@+-]+")


def default_path(head: RunHead, what: What, kind: Format, place: Place | None) -> Path:
    """Return where a file goes by default: beside where the console was started, or in the run where that cannot be."""
    here = Path.cwd()
    home = here if os.access(here, os.W_OK) else head.run_dir
    words = [head.run_id, what]
    if place is not None and what != "summary":
        words = [head.run_id, *(["tests"] if what == "tests" else [place.view])]
        words += [step.word for step in place.steps]
    name = _NOT_IN_NAME.sub("-", "-".join(words)).strip("-.")[:150]
    return home / f"{name}.{kind}"


def written_path(text: str) -> Path:
    """Return the path that somebody wrote, `~` meaning their home."""
    return Path(text.strip()).expanduser().absolute()


def refusal(text: str) -> str:
    """Return why nothing can be written there; empty: it can be tried."""
    if not text.strip():
        return "where to?"
    path = written_path(text)
    if path.is_dir():
        return "that is a directory: add the name of a file"
    if not path.parent.is_dir():
        return f"there is no directory {path.parent}"
    return ""
