"""Where one has been in the results: of each view the way down to where one is, so that going up finds things as they were."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from console.screens.results.places import Place, View
from console.screens.results.sheet import Sheet, Sort


@dataclass(slots=True)
class Visit:
    """One table as it was looked at."""

    place: Place
    sheet: Sheet | None = None
    """None: not made yet, or the run was read again."""
    row_id: str = ""
    """The row under the cursor."""
    sort: Sort | None = None
    filter_text: str = ""
    test: str = ""
    """The test that is shown in full; empty: none."""


class Made(NamedTuple):
    """A table, ready to be shown."""

    sheet: Sheet
    order: list[int] | range
    cursor: int


@dataclass(slots=True)
class Visits:
    """All views, and which one is in front."""

    view: View = "overview"
    _ways: dict[View, list[Visit]] = field(default_factory=dict)

    @property
    def here(self) -> Visit:
        """The table in front."""
        return self._way()[-1]

    @property
    def depth(self) -> int:
        """How many levels one can go up."""
        return len(self._way()) - 1

    def down(self, place: Place) -> Visit:
        """Go to a place below."""
        self._way().append(Visit(place))
        return self.here

    def up(self) -> Visit:
        """Go back to the level above; at the top stay."""
        if self.depth:
            self._way().pop()
        return self.here

    def replace(self, place: Place) -> Visit:
        """Show another place on this level."""
        sort, text = self.here.sort, self.here.filter_text
        self._way()[-1] = Visit(place, sort=sort, filter_text=text)
        return self.here

    def forget_tables(self) -> None:
        """Have every table made anew, where one is staying the same."""
        for way in self._ways.values():
            for visit in way:
                visit.sheet = None

    def _way(self) -> list[Visit]:
        return self._ways.setdefault(self.view, [Visit(Place(self.view))])


def made(sheet: Sheet, visit: Visit) -> Made:
    """Return a table in the order of a visit, with the cursor where it was; takes a moment for many rows."""
    words = tuple(visit.filter_text.casefold().split())
    found = sheet.order(visit.sort, words)
    order = found if isinstance(found, range) else list(found)
    index = sheet.index_of(visit.row_id) if visit.row_id else None
    cursor = order.index(index) if index is not None and index in order else 0
    return Made(sheet, order, cursor)
