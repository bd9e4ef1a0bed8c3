"""The stylesheet of the console: each source is parsed once for a set of theme variables.

Textual parses all sources anew whenever a screen is opened or gone to for the first time, several times over. With the
same variables the same text gives the same rules, and rules are never changed once they are made.
"""

from __future__ import annotations

from typing import Any, Final

from textual.cache import LRUCache
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

_Parsed = LRUCache[tuple[Any, ...], list[RuleSet]]
_MOST_SOURCES: Final = 512
_MOST_THEMES: Final = 8
_parsed: Final[LRUCache[frozenset[tuple[str, str]], _Parsed]] = LRUCache(_MOST_THEMES)
"""By the variables that the rules were made with, for all consoles of this process."""


class ParsedStyles(Stylesheet):
    """Remembers what it has parsed, over themes and reparses."""

    def __init__(self, *, variables: dict[str, str]) -> None:
        """Parse with these variables."""
        super().__init__(variables=variables)
        self._parse_cache = _parsed_with(variables)

    def set_variables(self, variables: dict[str, str]) -> None:
        """Take other variables; equal ones change nothing."""
        if variables == self._variables:
            return
        self._parse_cache = LRUCache(1)  # this one is emptied, not what others hold as well
        super().set_variables(variables)
        self._parse_cache = _parsed_with(variables)

    def reparse(self) -> None:
        """Take all sources as they are now; Textual would do it in a stylesheet that remembers nothing."""
        self.parse()


def _parsed_with(variables: dict[str, str]) -> _Parsed:
    key = frozenset(variables.items())
    known = _parsed.get(key)
    if known is None:
        known = _parsed[key] = LRUCache(_MOST_SOURCES)
    return known
