"""The thirty tools by name, in registry order: six categories of five."""

from __future__ import annotations

from typing import Final

from console.work.world import Tool

TOOLS: Final[dict[str, Tool]] = {}
