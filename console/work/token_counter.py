"""Tokens as the model counts them, by its `tokenizer.json`; the `tokenizers` package is an extra."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from console.vocabulary.errors import ConsoleError
from console.work.random_prompts import CountTokens


def token_counter(path: Path) -> CountTokens:
    """Return a function that counts the tokens of a text.

    Args:
        path: a `tokenizer.json`, or the folder of a model with one in it.

    Raises:
        ConsoleError: if it cannot be read, or the package is not installed.
    """
    file = path / "tokenizer.json" if path.is_dir() else path
    if not file.is_file():
        raise ConsoleError("there is no such tokenizer file", where=str(file))
    try:
        package: Any = importlib.import_module("tokenizers")
    except ImportError:
        raise ConsoleError(
            "--tokenizer needs the package `tokenizers`, which is not installed",
            hint="pip install 'ultra-console[tokenizers]', or leave it out: lengths are in words then",
        ) from None
    try:
        tokenizer: Any = package.Tokenizer.from_file(str(file))
    except Exception as error:  # the package raises plain Exception for whatever is wrong with the file
        raise ConsoleError(f"is no tokenizer: {error}", where=str(file)) from error

    def count(text: str) -> int:
        return len(tokenizer.encode(text, add_special_tokens=False).ids)

    return count
