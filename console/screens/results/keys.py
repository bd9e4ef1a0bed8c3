"""The keys of the results screen, and what its help says below them."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType

NOTES: Final[tuple[str, ...]] = (
    "Enter goes down: model, prompt type, difficulty, rate, task type, tests, one test; Esc goes up.",
    "Levels at which there is nothing to choose are passed over.",
    "Left and right move the columns behind the first one.",
    "Tests are judged by the goal; S judges them as the first harness did, as `report --scoring original` does.",
)
KEYS: Final[list[BindingType]] = [
    Binding(
        "escape",
        "back",
        "up",
        key_display="esc",
        id="results.back",
        tooltip="Up one level; clears a filter, gives up a reading",
    ),
    Binding("v,tab", "view(1)", "view", id="results.view", tooltip="The next view"),
    Binding(
        "V,shift+tab",
        "view(-1)",
        "View before",
        show=False,
        id="results.view_before",
        tooltip="The view before",
    ),
    Binding(
        "slash",
        "filter",
        "filter",
        key_display="/",
        id="results.filter",
        tooltip="Show only rows with these words; in a test: search",
    ),
    Binding("t", "tests", "tests", id="results.tests", tooltip="The tests of the row, at once"),
    Binding(
        "f",
        "outcome(1)",
        "outcome",
        id="results.outcome",
        tooltip="All tests, those not full, failures, …",
    ),
    Binding(
        "F",
        "outcome(-1)",
        "Outcome before",
        show=False,
        id="results.outcome_before",
        tooltip="The same, the other way round",
    ),
    Binding(
        "S",
        "scoring",
        "scoring",
        show=False,
        id="results.scoring",
        tooltip="Judge tests by the goal, or as the first harness did",
    ),
    Binding("n", "neighbour(1)", "next", id="results.next", tooltip="The next test of the list"),
    Binding("p", "neighbour(-1)", "previous", id="results.previous", tooltip="The previous test of the list"),
    Binding(
        "x",
        "export",
        "export",
        id="results.export",
        tooltip="Write the table, tests or the summary into a file",
    ),
    Binding(
        "y",
        "copy_row",
        "Copy",
        show=False,
        id="results.copy",
        tooltip="Copy the row, or of a test all of it",
    ),
    Binding(
        "Y",
        "copy_table",
        "Copy table",
        show=False,
        id="results.copy_table",
        tooltip="Copy the table as it is shown",
    ),
    Binding("i", "notes", "notes", show=False, id="results.notes", tooltip="What the figures mean"),
    Binding(
        "r", "reload", "reload", id="results.reload", tooltip="Read the run again; a live one has gone on"
    ),
]
