"""Pictures as PNG, by a library that is an extra: it brings its own fonts, so that no system has to have any."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from console.vocabulary.errors import ConsoleError

_SCALE: Final = 2.0
HINT: Final = "pip install 'ultra-console[png]'"


def png_of(svg: str) -> bytes:
    """Draw an SVG whose colours are literal, at twice its size.

    Raises:
        ConsoleError: if the library is not there, or cannot draw it.
    """
    try:
        library: Any = import_module("vl_convert")
    except ImportError:
        raise ConsoleError("PNG needs a library that is not installed", hint=HINT) from None
    try:
        return bytes(library.svg_to_png(svg, scale=_SCALE))
    except Exception as error:
        raise ConsoleError(f"the picture could not be drawn: {error}") from error
