"""For how long what a lane has learnt may be believed."""

from __future__ import annotations

from typing import Final

FRESH_FOR_S: Final = 900.0
"""Quotas change within hours, windows within a minute: after 15 minutes it only shortens the search."""
